import { createInterface } from 'node:readline';
import { DescriptorSchema } from '@gitless/oci';
import * as v from 'valibot';
import { connect } from './connect.ts';
import { referrerOf } from './referrer.ts';

/*
 * A process of its own that attaches one referrer: says `ready`, then waits for one line with what to do, so that all
 * writers begin at the same moment.
 */

const TaskSchema = v.object({
  host: v.string(),
  login: v.exactOptional(v.object({ kind: v.literal('basic'), username: v.string(), password: v.string() })),
  repository: v.string(),
  subject: DescriptorSchema,
  writer: v.string(),
});

export type Task = v.InferOutput<typeof TaskSchema>;

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const { host, login, repository, subject, writer } = v.parse(TaskSchema, JSON.parse(line));
  await connect(host, login).client.putReferrers(repository, subject.digest, [referrerOf(subject, writer)]);
}
