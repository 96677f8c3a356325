import { stringify } from 'yaml';

/**
 * Fulcio's configuration for one GitHub-like issuer: the templates of its own `config/identity/config.yaml`
 * (sigstore/fulcio, entry github-workflow), with an audience of its own. Written as JSON it would be read by other names.
 */
export function fulcioConfig(issuerUrl: string, audience: string): string {
  const signer = '{{ .url }}/{{ .job_workflow_ref }}';
  const repository = '{{ .url }}/{{ .repository }}';
  return stringify({
    'oidc-issuers': {
      [issuerUrl]: {
        'issuer-url': issuerUrl,
        'client-id': audience,
        type: 'ci-provider',
        'ci-provider': 'github-workflow',
      },
    },
    'ci-issuer-metadata': {
      'github-workflow': {
        'default-template-values': { url: 'https://github.com', environment: '' },
        'extension-templates': {
          'github-workflow-trigger': 'event_name',
          'github-workflow-sha': 'sha',
          'github-workflow-name': 'workflow',
          'github-workflow-repository': 'repository',
          'github-workflow-ref': 'ref',
          'build-signer-uri': signer,
          'build-signer-digest': 'job_workflow_sha',
          'runner-environment': 'runner_environment',
          'source-repository-uri': repository,
          'source-repository-digest': 'sha',
          'source-repository-ref': 'ref',
          'source-repository-identifier': 'repository_id',
          'source-repository-owner-uri': '{{ .url }}/{{ .repository_owner }}',
          'source-repository-owner-identifier': 'repository_owner_id',
          'build-config-uri': '{{ .url }}/{{ .workflow_ref }}',
          'build-config-digest': 'workflow_sha',
          'build-trigger': 'event_name',
          'run-invocation-uri': `${repository}/actions/runs/{{ .run_id }}/attempts/{{ .run_attempt }}`,
          'source-repository-visibility-at-signing': 'repository_visibility',
          'deployment-environment': 'environment',
        },
        'subject-alternative-name-template': signer,
      },
    },
  });
}

/** ct_server's configuration for one log, as the text form of a protocol buffer (trillian/ctfe/configpb, LogConfigSet). */
export function ctLogConfig(log: { treeId: string; rootsFile: string; publicKey: Buffer; privateKey: Buffer }): string {
  const bytes = (der: Buffer) => `"${[...der].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`;
  return `config {
  log_id: ${log.treeId}
  prefix: "ct"
  roots_pem_file: ${JSON.stringify(log.rootsFile)}
  public_key: { der: ${bytes(log.publicKey)} }
  private_key: { [type.googleapis.com/keyspb.PrivateKey] { der: ${bytes(log.privateKey)} } }
  ext_key_usages: "CodeSigning"
  max_merge_delay_sec: 86400
}
`;
}
