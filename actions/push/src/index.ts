import { startAction } from '@gitless/ci';
import { inputs } from './inputs.ts';

void startAction('push', inputs, () => import('./main.ts'));
