// act 0.2.89 does not wait for the terminal of a step that failed, and may lose what it printed last: here is a copy.
import { appendFileSync } from 'node:fs';

const write = process.stdout.write.bind(process.stdout);
process.stdout.write = (chunk, ...rest) => {
  appendFileSync(process.env.STDOUT_COPY, chunk);
  return write(chunk, ...rest);
};
