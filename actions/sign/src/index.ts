import { startAction } from '@gitless/ci';
import { inputs } from './inputs.ts';

void startAction('sign', inputs, () => import('./main.ts'));
