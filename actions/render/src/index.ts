import { startAction } from '@gitless/ci';
import { inputs } from './inputs.ts';

void startAction('render', inputs, () => import('./main.ts'));
