import { utf8String } from './der.ts';
import { Extension, SubjectAlternativeNameExtension } from './x509.ts';

const FULCIO_ARC = '1.3.6.1.4.1.57264.1';

type Claims = Readonly<Record<string, unknown>>;

/** A claim that a certificate needs is not in the token; `message` is what Fulcio says then. */
export class MissingClaim extends Error {
  override readonly name = 'MissingClaim';
}

const SIGNER = '{{ .url }}/{{ .job_workflow_ref }}';
const REPOSITORY = '{{ .url }}/{{ .repository }}';

/** Fulcio's names of its extensions in the order in which it fills them, the last arc of each, and where the value comes from. */
const TEMPLATES = [
  ['GithubWorkflowTrigger', 2, 'event_name'],
  ['GithubWorkflowSHA', 3, 'sha'],
  ['GithubWorkflowName', 4, 'workflow'],
  ['GithubWorkflowRepository', 5, 'repository'],
  ['GithubWorkflowRef', 6, 'ref'],
  ['BuildSignerURI', 9, SIGNER],
  ['BuildSignerDigest', 10, 'job_workflow_sha'],
  ['RunnerEnvironment', 11, 'runner_environment'],
  ['SourceRepositoryURI', 12, REPOSITORY],
  ['SourceRepositoryDigest', 13, 'sha'],
  ['SourceRepositoryRef', 14, 'ref'],
  ['SourceRepositoryIdentifier', 15, 'repository_id'],
  ['SourceRepositoryOwnerURI', 16, '{{ .url }}/{{ .repository_owner }}'],
  ['SourceRepositoryOwnerIdentifier', 17, 'repository_owner_id'],
  ['BuildConfigURI', 18, '{{ .url }}/{{ .workflow_ref }}'],
  ['BuildConfigDigest', 19, 'workflow_sha'],
  ['BuildTrigger', 20, 'event_name'],
  ['RunInvocationURI', 21, `${REPOSITORY}/actions/runs/{{ .run_id }}/attempts/{{ .run_attempt }}`],
  ['SourceRepositoryVisibilityAtSigning', 22, 'repository_visibility'],
  ['DeploymentEnvironment', 23, 'environment'],
] as const;

const DEFAULTS: Claims = { url: 'https://github.com', environment: '' };

/**
 * Subject alternative name and Fulcio's own extensions for a GitHub workflow's token, as its ci-provider issuer makes them
 * (sigstore/fulcio pkg/identity/ciprovider/principal.go with the templates of config/identity/config.yaml; docs/oid-info.md).
 * Throws {@link MissingClaim}.
 */
export function certificateExtensions(claims: Claims): Extension[] {
  const issuer = String(claims['iss']);
  const values = { ...DEFAULTS, ...claims };
  const signer = fill(SIGNER, 'SubjectAlternativeName', values);
  const byArc = new Map<number, string>([
    [1, issuer],
    [8, issuer],
    ...TEMPLATES.map(([name, arc, template]) => [arc, fill(template, name, values)] as const),
    [24, String(claims['sub'])],
  ]);
  return [
    // Critical, because the subject is empty (RFC 5280 §4.2.1.6).
    new SubjectAlternativeNameExtension([{ type: 'url', value: signer }], true),
    ...[...byArc]
      .filter(([, value]) => value !== '')
      .sort(([a], [b]) => a - b)
      .map(([arc, value]) => extension(arc, value)),
  ];
}

/** A claim's name stands for its value; between braces it is part of a text. */
function fill(template: string, extensionName: string, values: Claims): string {
  if (!template.includes('{{')) {
    const value = values[template];
    if (typeof value !== 'string') {
      const about = JSON.stringify({ ExtensionName: extensionName, Issuer: values['iss'] }, undefined, '\t');
      throw new MissingClaim(`value <${template}> not present in either claims or defaults. ${about}`);
    }
    return value;
  }
  return template.replace(/\{\{ \.(\w+) \}\}/g, (_braces, claim: string, offset: number) => {
    const value = values[claim];
    if (typeof value !== 'string') {
      const where = `template: :1:${offset + 3}: executing "" at <.${claim}>`;
      throw new MissingClaim(`${where}: map has no entry for key "${claim}"`);
    }
    return value;
  });
}

/** 1.1 to 1.6 are the bare text, the newer ones a UTF8String. */
function extension(arc: number, value: string): Extension {
  return new Extension(`${FULCIO_ARC}.${arc}`, false, arc < 7 ? Buffer.from(value) : utf8String(value));
}
