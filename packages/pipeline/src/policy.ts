import { UserError } from '@gitless/core';
import { readConfig } from './config.ts';
import type { Config } from './config-schema.ts';
import type { Identity } from './verify-artifact.ts';

/** The step's inputs that say what `gitless.yaml` could say too, by their names; no step has all of them. */
export interface PolicyInputs {
  readonly identity?: string | undefined;
  readonly issuer?: string | undefined;
  readonly 'source-repository'?: string | undefined;
  readonly 'trusted-root'?: string | undefined;
  readonly 'signing-config'?: string | undefined;
}

/** Who may sign and what is trusted; undefined where nobody says it. */
export interface Policy {
  readonly identity: { readonly issuer: string; readonly subject: string; readonly repository?: string } | undefined;
  readonly trustedRoot: string | undefined;
  readonly signingConfig: string | undefined;
  readonly channels: Config['channels'];
  readonly registry: string | undefined;
  readonly production: string | undefined;
}

/** The checkout that holds `gitless.yaml`, and how to make sure of it. */
export interface PolicySource {
  /** Absolute path of the checkout. */
  readonly workspace: string;
  readonly onDefaultBranch: boolean;
  /** Rejects unless the checkout is the commit of this run. */
  readonly requireCommit: () => Promise<void>;
}

/**
 * Reads `gitless.yaml` and what it and the inputs rule. On the default branch the file's rules count, so the file must be from there too:
 * another `ref` checked out would bring rules that nobody merged (invariant 12). Throws what `readConfig`, {@link resolvePolicy} and
 * `requireCommit` throw.
 */
export async function readPolicy(
  source: PolicySource,
  inputs: PolicyInputs & { readonly config: string | undefined },
): Promise<{ readonly config: Config | undefined; readonly policy: Policy }> {
  const config = await readConfig(source.workspace, inputs.config);
  if (config !== undefined && source.onDefaultBranch) {
    await source.requireCommit();
  }
  return { config, policy: resolvePolicy(config, source.onDefaultBranch, inputs) };
}

/**
 * Inputs first, then `gitless.yaml`. The policy keys of the file count only on the default branch: rules are never read from the change
 * they judge (invariant 12). Throws `IDENTITY_INCOMPLETE` when only one half of an identity is given.
 */
export function resolvePolicy(config: Config | undefined, onDefaultBranch: boolean, inputs: PolicyInputs): Policy {
  const rules = onDefaultBranch ? config : undefined;
  if ((inputs.identity === undefined) !== (inputs.issuer === undefined)) {
    throw new UserError({
      code: 'IDENTITY_INCOMPLETE',
      what: inputs.identity === undefined ? 'issuer is given without identity' : 'identity is given without issuer',
      why: 'an identity is an issuer together with a subject',
      fix: 'give both, or neither',
    });
  }
  const fromInputs =
    inputs.identity !== undefined && inputs.issuer !== undefined
      ? { issuer: inputs.issuer, subject: inputs.identity }
      : undefined;
  const identity = fromInputs ?? rules?.identity;
  const repository = inputs['source-repository'] ?? rules?.identity?.repository;
  return {
    identity: identity && { ...identity, ...(repository === undefined ? {} : { repository }) },
    trustedRoot: inputs['trusted-root'] ?? rules?.trust?.['trusted-root'],
    signingConfig: inputs['signing-config'] ?? rules?.trust?.['signing-config'],
    channels: rules?.channels,
    registry: rules?.registry,
    production: rules?.production,
  };
}

/**
 * The identity with the repository that must have run, as the certificate writes it (OID 1.12). Where nobody names that repository it is
 * the one that holds the workflow: callers of a shared workflow are then told apart, never taken for each other (invariant 14).
 */
export function asIdentity(policy: NonNullable<Policy['identity']>, serverUrl: string): Identity {
  const { issuer, subject } = policy;
  const path = subject.startsWith(`${serverUrl}/`) ? subject.slice(serverUrl.length + 1) : '';
  const repository = policy.repository ?? /^([^/]+\/[^/]+)\/\.github\/workflows\//.exec(path)?.[1];
  return { issuer, subject, ...(repository === undefined ? {} : { sourceRepository: `${serverUrl}/${repository}` }) };
}

/** Throws `SETTING_MISSING` naming all of `settings` that are undefined: `[name, value]`. */
export function requireSettings(step: string, settings: readonly (readonly [name: string, value: unknown])[]): void {
  const missing = settings.flatMap(([name, value]) => (value === undefined ? [name] : []));
  if (missing.length > 0) {
    throw new UserError({
      code: 'SETTING_MISSING',
      what: `${step} needs ${missing.join(', ')}`,
      why: 'there is no silent default: who signs, and what is trusted, is said by you',
      fix: 'give them as inputs, or identity, trust and registry in gitless.yaml, which counts on the default branch only',
    });
  }
}
