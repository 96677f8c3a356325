import { buildTools } from './build-tools.ts';

export default buildTools;
