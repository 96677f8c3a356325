import { startAction } from '@gitless/ci';
import { inputs } from './inputs.ts';

void startAction('promote', inputs, () => import('./main.ts'));
