import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Build, type Context, errorMessage, UserError } from '@gitless/core';
import {
  createSigner,
  parseTrustedRoot,
  requireSafeServices,
  type Signer,
  type SigningServices,
  servicesFromSigningConfig,
  type TrustedRoot,
} from '@gitless/signing';

/** Which Sigstore instance signs, by the names of the inputs. */
export interface ServiceSettings {
  /** Path of a signing config, relative to the workspace. */
  readonly 'signing-config': string | undefined;
  readonly 'fulcio-url': string | undefined;
  readonly 'rekor-url': string | undefined;
  readonly 'tsa-url': string | undefined;
}

/** For `requireSettings`: whether the settings name a whole Sigstore instance. */
export function serviceSettings(settings: ServiceSettings): readonly [name: string, value: unknown] {
  const urls = [settings['fulcio-url'], settings['rekor-url'], settings['tsa-url']];
  return [
    'signing-config (or fulcio-url, rekor-url and tsa-url)',
    settings['signing-config'] ?? (urls.includes(undefined) ? undefined : urls),
  ];
}

/** The services to sign with: each URL that is given, else the signing config's. Throws `SETTING_MISSING`, `BAD_SIGNING_CONFIG`, `SERVICE_NOT_HTTPS`. */
export async function resolveServices(
  context: Context,
  workspace: string,
  settings: ServiceSettings,
): Promise<SigningServices> {
  const file = settings['signing-config'];
  const fromFile =
    file === undefined
      ? undefined
      : servicesFromSigningConfig(await readWorkspaceFile(workspace, file), file, context.now());
  const fulcioUrl = settings['fulcio-url'] ?? fromFile?.fulcioUrl;
  const rekorUrl = settings['rekor-url'] ?? fromFile?.rekorUrl;
  const tsaUrl = settings['tsa-url'] ?? fromFile?.tsaUrl;
  if (fulcioUrl === undefined || rekorUrl === undefined || tsaUrl === undefined) {
    throw new UserError({
      code: 'SETTING_MISSING',
      what: 'no Sigstore instance to sign with',
      why: 'there is no silent default to a public log, which would publish the repository, workflow and commit',
      fix: 'give signing-config, or fulcio-url, rekor-url and tsa-url together',
    });
  }
  const services = { fulcioUrl, rekorUrl, tsaUrl };
  requireSafeServices(services);
  return services;
}

/** Reads the trusted root named by input or policy. Throws `FILE_UNREADABLE`, `BAD_TRUSTED_ROOT`. */
export async function readTrustedRoot(workspace: string, path: string): Promise<TrustedRoot> {
  return parseTrustedRoot(await readWorkspaceFile(workspace, path), path);
}

/** Absolute paths are allowed: a trusted root may come from a step before this one. */
async function readWorkspaceFile(workspace: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(resolve(workspace, path));
  } catch (error) {
    throw new UserError({
      code: 'FILE_UNREADABLE',
      what: `${path} cannot be read`,
      why: errorMessage(error),
      fix: 'check the path, relative to the checkout, and that an earlier step made it available',
    });
  }
}

/** The part of an OIDC token that decides under which name is signed. */
export interface SigningToken {
  readonly jwt: string;
  readonly claims: {
    readonly sub: string;
    readonly repository: string;
    readonly job_workflow_ref: string;
    readonly environment?: string;
  };
}

export interface SessionRules {
  /** An organisation's own reusable workflow may sign for its callers (invariant 14). */
  readonly sharedIdentity: boolean;
  /** The job's environment must be this one. */
  readonly environment: string | undefined;
}

/**
 * Invariant 14 and the gate, both before the token goes to Fulcio: the workflow that becomes the identity must lie in this repository,
 * and the token must name the environment. Returns the opt-in that was needed, for record and summary.
 * Throws `TOKEN_FOREIGN`, `IDENTITY_SHARED` or `ENVIRONMENT_MISMATCH`.
 */
export function requireOwnIdentity({ claims }: SigningToken, build: Build, rules: SessionRules): string[] {
  if (claims.repository !== build.repository) {
    throw new UserError({
      code: 'TOKEN_FOREIGN',
      what: 'the OIDC token is of another repository than this run',
      details: [`expected ${build.repository}`, `seen ${claims.repository}`],
      why: 'what is signed here would carry the name of the other one',
      fix: 'let no step change GITHUB_REPOSITORY or ACTIONS_ID_TOKEN_REQUEST_URL',
    });
  }
  const isShared = !claims.job_workflow_ref.startsWith(`${claims.repository}/`);
  if (isShared && !rules.sharedIdentity) {
    throw new UserError({
      code: 'IDENTITY_SHARED',
      what: `this job would sign as ${claims.job_workflow_ref}, which lies in another repository`,
      why: `every repository that calls that workflow gets the same identity, and Flux could not tell ${claims.repository} from them`,
      fix: "call the action from a workflow of your own; in your organisation's own reusable workflow set shared-identity: true and read docs/identity.md first",
    });
  }
  if (rules.environment !== undefined && claims.environment !== rules.environment) {
    throw new UserError({
      code: 'ENVIRONMENT_MISMATCH',
      what: `the job does not run in the environment ${rules.environment}`,
      details: [`expected ${rules.environment}`, `seen ${claims.environment ?? 'none'}`],
      why: 'its approval rules would not have applied',
      fix: `add \`environment: ${rules.environment}\` to the job`,
    });
  }
  return isShared ? [`shared-identity: ${claims.job_workflow_ref}`] : [];
}

/** Signs for this job: one token, one key, one certificate. */
export interface SigningSession {
  readonly signer: Signer;
  /** The opt-in of the workflow file that the identity needed, if any, for record and summary. */
  readonly optIns: readonly string[];
}

/**
 * Exchanges the token for a certificate once {@link requireOwnIdentity} has passed it.
 * Throws what that throws, `FULCIO_REFUSED` and `CERTIFICATE_REFUSED`.
 */
export async function openSession(
  context: Context,
  token: SigningToken,
  build: Build,
  options: { readonly services: SigningServices; readonly trustedRoot: TrustedRoot; readonly rules: SessionRules },
): Promise<SigningSession> {
  const optIns = requireOwnIdentity(token, build, options.rules);
  const { services, trustedRoot } = options;
  const signer = await createSigner(context, { services, trustedRoot, jwt: token.jwt, tokenSubject: token.claims.sub });
  context.log.info(`signing as ${signer.certificate.subject}`);
  return { signer, optIns };
}
