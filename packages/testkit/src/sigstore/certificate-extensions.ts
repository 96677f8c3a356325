import { EKU } from './ca.ts';
import { utf8String } from './der.ts';
import { ExtendedKeyUsageExtension, Extension, SubjectAlternativeNameExtension } from './x509.ts';

const FULCIO_ARC = '1.3.6.1.4.1.57264.1';
const GITHUB = 'https://github.com';

/** A claim that a certificate needs is not in the token; `message` is what Fulcio says then. */
export class MissingClaim extends Error {
  override readonly name = 'MissingClaim';

  constructor(claim: string) {
    super(`template: :1:3: executing "" at <.${claim}>: map has no entry for key "${claim}"`);
  }
}

/**
 * Extended key usage, subject alternative name and Fulcio's own extensions for a GitHub workflow's token.
 * https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md, templates of config/identity/config.yaml.
 * Throws {@link MissingClaim}.
 */
export function certificateExtensions(claims: Readonly<Record<string, unknown>>): Extension[] {
  function claim(name: string): string {
    const value = claims[name];
    if (typeof value !== 'string') {
      throw new MissingClaim(name);
    }
    return value;
  }

  const repository = `${GITHUB}/${claim('repository')}`;
  const signer = `${GITHUB}/${claim('job_workflow_ref')}`;
  const raw: Record<number, string> = {
    1: claim('iss'),
    2: claim('event_name'),
    3: claim('sha'),
    4: claim('workflow'),
    5: claim('repository'),
    6: claim('ref'),
  };
  const utf8: Record<number, string> = {
    8: claim('iss'),
    9: signer,
    10: claim('job_workflow_sha'),
    11: claim('runner_environment'),
    12: repository,
    13: claim('sha'),
    14: claim('ref'),
    15: claim('repository_id'),
    16: `${GITHUB}/${claim('repository_owner')}`,
    17: claim('repository_owner_id'),
    18: `${GITHUB}/${claim('workflow_ref')}`,
    19: claim('workflow_sha'),
    20: claim('event_name'),
    21: `${repository}/actions/runs/${claim('run_id')}/attempts/${claim('run_attempt')}`,
    22: claim('repository_visibility'),
    ...(claims['environment'] === undefined ? {} : { 23: claim('environment') }),
    24: claim('sub'),
  };
  return [
    new ExtendedKeyUsageExtension([EKU.codeSigning]),
    // Critical, because the subject is empty (RFC 5280 §4.2.1.6).
    new SubjectAlternativeNameExtension([{ type: 'url', value: signer }], true),
    ...Object.entries(raw).map(([arc, value]) => extension(arc, Buffer.from(value))),
    ...Object.entries(utf8).map(([arc, value]) => extension(arc, utf8String(value))),
  ];
}

function extension(arc: string, value: Uint8Array): Extension {
  return new Extension(`${FULCIO_ARC}.${arc}`, false, value);
}
