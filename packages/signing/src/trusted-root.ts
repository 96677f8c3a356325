import { errorMessage, parseJsonWith, UserError } from '@gitless/core';
import { type TimeRange, TrustedRoot } from '@sigstore/protobuf-specs';
import * as v from 'valibot';

const GIVE_ROOT = 'give the complete trusted_root.json of the Sigstore instance that signs';

/**
 * Reads a `trusted_root.json` (sigstore/protobuf-specs `sigstore_trustroot.proto`). A log or authority without a start of validity is
 * refused: `@sigstore/verify` takes it for unbounded (sigstore-conformance `trust-root-tlog-missing-validity-start_fail`).
 * Throws `BAD_TRUSTED_ROOT`.
 */
export function parseTrustedRoot(json: Uint8Array, where: string): TrustedRoot {
  const data = parseJsonWith(v.record(v.string(), v.unknown()), json, {
    code: 'BAD_TRUSTED_ROOT',
    where,
    fix: GIVE_ROOT,
  });
  let root: TrustedRoot;
  try {
    root = TrustedRoot.fromJSON(data);
  } catch (error) {
    throw new UserError({
      code: 'BAD_TRUSTED_ROOT',
      what: `${where} is not a Sigstore trusted root`,
      why: errorMessage(error),
      fix: GIVE_ROOT,
    });
  }
  const faults: string[] = [];
  if (!root.mediaType.startsWith('application/vnd.dev.sigstore.trustedroot')) {
    faults.push(`mediaType: saw ${JSON.stringify(root.mediaType)}`);
  }
  for (const field of ['tlogs', 'ctlogs'] as const) {
    for (const [index, { publicKey }] of root[field].entries()) {
      faults.push(...validityFaults(`${field}.${index}.publicKey.validFor`, publicKey?.validFor));
    }
  }
  for (const field of ['certificateAuthorities', 'timestampAuthorities'] as const) {
    for (const [index, { validFor }] of root[field].entries()) {
      faults.push(...validityFaults(`${field}.${index}.validFor`, validFor));
    }
  }
  for (const field of ['certificateAuthorities', 'tlogs', 'ctlogs', 'timestampAuthorities'] as const) {
    if (root[field].length === 0) {
      faults.push(`${field}: is empty; at least one is needed to verify a signature of ours`);
    }
  }
  if (faults.length > 0) {
    throw new UserError({
      code: 'BAD_TRUSTED_ROOT',
      what: `${where} cannot be used as a trusted root`,
      details: faults,
      fix: GIVE_ROOT,
    });
  }
  return root;
}

function validityFaults(path: string, validFor: TimeRange | undefined): string[] {
  if (validFor?.start === undefined) {
    return [`${path}.start: is missing`];
  }
  return (['start', 'end'] as const).flatMap((field) =>
    Number.isNaN(validFor[field]?.getTime()) ? [`${path}.${field}: is not a time`] : [],
  );
}

/**
 * The root to pin in Flux (`OCIRepository.spec.verify.trustedRootSecretRef`): of all logs only the one we sign with, so that no other
 * form of signature is accepted (design: "Log and trust"). Flux needs the log's `baseUrl`. Throws `TRUSTED_ROOT_LACKS_LOG`.
 */
export function fluxTrustedRoot(root: TrustedRoot, rekorUrl: string): string {
  const tlogs = root.tlogs.filter((log) => log.baseUrl !== '' && sameLog(log.baseUrl, rekorUrl));
  if (tlogs.length === 0) {
    throw new UserError({
      code: 'TRUSTED_ROOT_LACKS_LOG',
      what: `the trusted root does not hold the log ${rekorUrl}`,
      details: root.tlogs.map((log) => `holds ${log.baseUrl === '' ? '(a log without baseUrl)' : log.baseUrl}`),
      why: 'Flux finds the log of a signature by its address and key in the pinned root',
      fix: 'use the trusted root and the signing config of the same Sigstore instance',
    });
  }
  return `${JSON.stringify(TrustedRoot.toJSON({ ...root, tlogs }), null, 2)}\n`;
}

/** `baseUrl` may lack its scheme (protobuf-specs, TransparencyLogInstance.base_url). */
function sameLog(baseUrl: string, rekorUrl: string): boolean {
  const strip = (address: string) => address.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  return strip(baseUrl) === strip(rekorUrl);
}
