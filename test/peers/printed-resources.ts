import { basename } from 'node:path';
import * as v from 'valibot';
import type { Manifest } from './kubernetes-client.ts';
import { manifestsOf } from './servers/kubernetes.ts';

/** What a job summary tells to paste into the fleet for one component. */
export interface PrintedResources {
  readonly source: Manifest;
  readonly kustomization: Manifest;
  /** `spec.verify` of the source. */
  readonly verify: Readonly<Record<string, unknown>>;
}

const SourceSpecSchema = v.object({ url: v.string(), verify: v.record(v.string(), v.unknown()) });

/** Component → resources, from the YAML blocks of a job summary of `push` or `promote`. */
export function printedResources(summary: string): ReadonlyMap<string, PrintedResources> {
  const blocks = [...summary.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
  return new Map(
    blocks.map((block) => {
      const [source, kustomization] = manifestsOf(block);
      if (source === undefined || kustomization === undefined) {
        throw new Error(`the summary prints something else than two resources:\n${block}`);
      }
      const { url, verify } = v.parse(v.looseObject({ ...SourceSpecSchema.entries }), source['spec']);
      return [basename(url), { source, kustomization, verify }];
    }),
  );
}
