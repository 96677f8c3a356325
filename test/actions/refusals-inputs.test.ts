import { describe, expect, it } from 'vitest';
import { refusingSteps } from './refusal.ts';
import { SHIPPER } from './support.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const WEB = { from: `web=${DIGEST}`, version: 'v1.0.0' } as const;

const { refuses, refused } = refusingSteps();

describe('wrong inputs, all of them at once', () => {
  refuses([
    {
      when: 'three wrong inputs',
      action: 'render',
      inputs: { engine: 'jsonnet', 'include-crds': 'yes', summary: '1' },
      code: 'BAD_INPUTS',
      says: [
        '3 inputs are wrong',
        'engine: saw "jsonnet"',
        'helm, kustomize, plain',
        'include-crds: saw "yes"',
        'summary',
      ],
    },
    {
      when: 'a digest cut short and a pair without =',
      action: 'package',
      inputs: { 'rendered-digest': 'sha256:abc', annotations: 'team' },
      code: 'BAD_INPUTS',
      says: ['2 inputs are wrong', 'rendered-digest: saw "sha256:abc"; wants', 'annotations: saw "team"; wants'],
    },
    {
      when: 'URLs that are none or carry a user name',
      action: 'sign',
      inputs: { 'fulcio-url': 'fulcio.example.test', 'rekor-url': 'https://me@rekor.example.test' },
      code: 'BAD_INPUTS',
      says: ['fulcio-url', 'rekor-url', 'wants an https:// URL'],
    },
    {
      when: 'required inputs left out',
      action: 'promote',
      inputs: { 'expected-current': 'latest', 'dry-run': 'yes' },
      code: 'BAD_INPUTS',
      says: [
        '4 inputs are wrong',
        'from: saw nothing',
        'version: saw nothing',
        'expected-current: saw "latest"',
        'dry-run',
      ],
    },
    {
      when: 'from as broken JSON',
      action: 'promote',
      inputs: { from: '{"web":', version: 'v1.0.0' },
      code: 'BAD_INPUTS',
      says: ['from: saw', 'wants a JSON object, component name to digest'],
    },
    {
      when: 'rendered without rendered-digest',
      action: 'package',
      inputs: { rendered: 'render.tar' },
      code: 'BAD_INPUTS',
      says: ['rendered is given without rendered-digest', 'tar-digest'],
    },
    {
      when: 'rendered-digest without rendered',
      action: 'package',
      inputs: { 'rendered-digest': DIGEST },
      code: 'BAD_INPUTS',
      says: ['rendered-digest is given without rendered'],
    },
    {
      when: 'registry and repository both',
      action: 'push',
      inputs: { repository: 'registry.example.test/acme/web' },
      code: 'BAD_INPUTS',
      says: ['registry and repository are both given'],
    },
    {
      when: 'registry and repository both',
      action: 'promote',
      inputs: { ...WEB, repository: 'registry.example.test/acme/web' },
      code: 'BAD_INPUTS',
      says: ['registry and repository are both given'],
    },
    {
      when: 'to-registry and to-repository both',
      action: 'promote',
      inputs: { ...WEB, 'to-registry': 'registry.example.test/p', 'to-repository': 'registry.example.test/p/web' },
      code: 'BAD_INPUTS',
      says: ['to-registry and to-repository are both given'],
    },
    {
      when: 'a reference with a scheme',
      action: 'push',
      inputs: { registry: 'https://registry.example.test/acme' },
      code: 'BAD_REFERENCE',
      says: ['a reference has no scheme', 'write "registry.example.test/acme'],
    },
    {
      when: 'a password without user name',
      action: 'push',
      inputs: { password: 'correct-horse-battery' },
      code: 'BAD_CREDENTIALS',
      says: ['a password is given without a user name'],
    },
    {
      when: 'a password without user name',
      action: 'promote',
      inputs: { ...WEB, password: 'correct-horse-battery' },
      code: 'BAD_CREDENTIALS',
      says: ['a password is given without a user name'],
    },
  ]);

  it('never shows a secret, however wrong the others are', async () => {
    const secret = 'correct-horse-battery';
    const run = await refused({
      when: '',
      action: 'push',
      inputs: { password: secret, summary: 'perhaps' },
      code: 'BAD_INPUTS',
      says: ['summary'],
    });
    expect(run.masks).toContain(secret);
    expect(run.log).not.toContain(secret);
  });
});

describe('settings that nobody may guess, all missing ones at once', () => {
  const noTrust = { 'trusted-root': undefined };
  const noSigning = { ...noTrust, 'signing-config': undefined, 'oidc-audience': undefined };
  refuses([
    {
      when: 'nothing is said',
      action: 'sign',
      inputs: noSigning,
      code: 'SETTING_MISSING',
      says: ['trusted-root, oidc-audience, signing-config (or fulcio-url, rekor-url and tsa-url)', 'no silent default'],
    },
    {
      when: 'two of three services',
      action: 'sign',
      inputs: {
        'signing-config': undefined,
        'fulcio-url': 'https://f.example.test',
        'tsa-url': 'https://t.example.test',
      },
      code: 'SETTING_MISSING',
      says: ['sign needs signing-config (or fulcio-url, rekor-url and tsa-url)'],
    },
    {
      when: 'nothing is said',
      action: 'push',
      inputs: { ...noTrust, registry: undefined },
      code: 'SETTING_MISSING',
      says: ['push needs trusted-root, registry (or repository)'],
    },
    {
      when: 'nothing is said',
      action: 'promote',
      inputs: { ...WEB, ...noSigning, identity: undefined, issuer: undefined, registry: undefined },
      code: 'SETTING_MISSING',
      says: ['identity and issuer, trusted-root, registry (or repository), oidc-audience, signing-config'],
    },
    {
      when: 'nothing is said, and only a preview is wanted',
      action: 'promote',
      inputs: { ...WEB, ...noSigning, identity: undefined, issuer: undefined, 'dry-run': 'true' },
      code: 'SETTING_MISSING',
      says: [/promote needs identity and issuer, trusted-root \[/],
    },
    {
      when: 'half an identity',
      action: 'push',
      inputs: { ...SHIPPER },
      code: 'IDENTITY_INCOMPLETE',
      says: ['identity is given without issuer'],
    },
    {
      when: 'a service in clear',
      action: 'sign',
      inputs: { 'rekor-url': 'http://rekor.example.test' },
      code: 'SERVICE_NOT_HTTPS',
      says: ['http://rekor.example.test is not https'],
    },
    {
      when: 'a trusted root that is not there',
      action: 'sign',
      inputs: { 'trusted-root': 'trust/root.json' },
      code: 'FILE_UNREADABLE',
      says: ['trust/root.json cannot be read'],
    },
    {
      when: 'a trusted root that is none',
      action: 'push',
      inputs: { 'trusted-root': 'root.json' },
      files: { 'root.json': '{"mediaType":"text/plain"}' },
      code: 'BAD_TRUSTED_ROOT',
      says: ['root.json cannot be used as a trusted root', 'tlogs: is empty'],
    },
    {
      when: 'a signing config that is none',
      action: 'sign',
      inputs: { 'signing-config': 'config.json' },
      files: { 'config.json': '{}' },
      code: 'BAD_SIGNING_CONFIG',
      says: ['config.json is not what it should be', 'mediaType'],
    },
  ]);
});

describe('the step before', () => {
  refuses([
    {
      when: 'a commit that the package step did not see',
      action: 'sign',
      env: { GITHUB_SHA: 'a'.repeat(40) },
      code: 'RESULT_STALE',
      says: ['belongs to another run', 'sha: expected aaaa', 'clear the work-dir'],
    },
    {
      when: 'another run',
      action: 'push',
      env: { GITHUB_RUN_ID: '1' },
      code: 'RESULT_STALE',
      says: ['runId: expected 1, seen'],
    },
    ...(['package', 'sign', 'push'] as const).map((action) => ({
      when: 'it never ran',
      action,
      inputs: { 'work-dir': '/nowhere' },
      code: 'STEP_MISSING',
      says: ['there is no result of', 'before this step in the same job'],
    })),
  ]);
});

describe('plain http beyond this machine', () => {
  refuses([
    {
      when: 'plain-http to another host',
      action: 'push',
      inputs: { registry: 'registry.example.test/acme' },
      code: 'PLAIN_HTTP_REFUSED',
      says: ['plain http to registry.example.test', 'use https'],
    },
    {
      when: 'plain-http to another host',
      action: 'promote',
      inputs: { ...WEB, registry: 'registry.example.test/acme' },
      code: 'PLAIN_HTTP_REFUSED',
      says: ['plain http to registry.example.test', 'use https'],
    },
  ]);
});
