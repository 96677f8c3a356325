import { startAction } from '@gitless/ci';
import { inputs } from './inputs.ts';

void startAction('package', inputs, () => import('./main.ts'));
