import { type HttpResponse, UserError } from '@gitless/core';
import * as v from 'valibot';

const TEXT_MAX = 300;

const ErrorBody = v.object({
  errors: v.array(
    v.object({
      code: v.fallback(v.string(), ''),
      message: v.fallback(v.string(), ''),
      detail: v.exactOptional(v.unknown()),
    }),
  ),
});

interface RegistryFault {
  readonly code: string;
  /** Message and detail, without control characters, at most 300 characters each. */
  readonly text: string;
}

/** The first error of a registry's answer (distribution-spec, "Error Codes"); its body may be anything on 4xx. */
export function registryFault(response: HttpResponse): RegistryFault | undefined {
  let data: unknown;
  try {
    data = JSON.parse(new TextDecoder().decode(response.body));
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(ErrorBody, data);
  const first = parsed.success ? parsed.output.errors[0] : undefined;
  if (first === undefined) {
    return undefined;
  }
  const detail = detailText(first.detail);
  const shownDetail = ['', '{}', '[]', 'null'].includes(detail) ? '' : ` (${cleanText(detail)})`;
  return { code: cleanText(first.code), text: `${cleanText(first.message)}${shownDetail}` };
}

/** Nesting that is read can still be too deep to be written. */
function detailText(detail: unknown): string {
  try {
    return typeof detail === 'string' ? detail : (JSON.stringify(detail) ?? '');
  } catch {
    return '';
  }
}

/** A registry's own words, safe to show: one line, no control or direction characters, at most 300 characters. */
function cleanText(text: string): string {
  const line = text
    .slice(0, TEXT_MAX * 4)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ')
    .trim();
  return line.length > TEXT_MAX ? `${line.slice(0, TEXT_MAX)}…` : line;
}

export interface FailedRequest {
  readonly response: HttpResponse;
  readonly registry: string;
  /** What was being done, such as `push the manifest of acme/web:latest`. */
  readonly action: string;
  /** The kind of credentials that were used, never their values. */
  readonly credentials: 'anonymous' | 'basic';
}

/** What the field's most frequent refusals really mean (GHCR). */
const KNOWN_FIXES: readonly (readonly [RegExp, string])[] = [
  [
    /installation not allowed to create organization package/i,
    'give the job `permissions: packages: write`, and let the organisation allow package creation',
  ],
  [/installation not allowed to write organization package/i, 'give the job `permissions: packages: write`'],
  [
    /permission_denied: ?write_package/i,
    'add this repository with the role Write under the package\'s settings, "Manage Actions access"',
  ],
];

/**
 * The error of an answer that is not what was hoped for: `REGISTRY_UNAUTHORIZED`, `REGISTRY_TAG_IMMUTABLE`,
 * `REGISTRY_DENIED` or `REGISTRY_ERROR`.
 */
export function registryError(failed: FailedRequest): UserError {
  const { response, registry, action, credentials } = failed;
  const fault = registryFault(response);
  const said = fault === undefined ? '' : `: ${[fault.code, fault.text].filter((part) => part !== '').join(': ')}`;
  const why = `the registry answered HTTP ${response.status}${said}`;
  if (response.status === 401) {
    const used = credentials === 'anonymous' ? 'without credentials' : 'with a user name and password or token';
    return new UserError({
      code: 'REGISTRY_UNAUTHORIZED',
      what: `${registry} does not let us ${action}, ${used}`,
      why,
      fix:
        credentials === 'anonymous'
          ? 'give credentials for this registry'
          : 'check that the credentials belong to this registry, have not expired, and may do this in this repository',
    });
  }
  if (isImmutableTag(response.status, fault)) {
    return new UserError({
      code: 'REGISTRY_TAG_IMMUTABLE',
      what: `${registry} refused to ${action}: the tag exists and its repository makes tags immutable`,
      why,
      fix: 'exclude channel tags and `sha256-*` from the immutability rule, or choose a new tag',
    });
  }
  if (response.status === 403 || fault?.code === 'DENIED') {
    return new UserError({
      code: 'REGISTRY_DENIED',
      what: `${registry} refused to ${action}`,
      why,
      fix:
        KNOWN_FIXES.find(([words]) => words.test(fault?.text ?? ''))?.[1] ??
        'give these credentials the right to do this in this repository',
    });
  }
  return new UserError({
    code: 'REGISTRY_ERROR',
    what: `${registry} failed to ${action}`,
    why,
    fix:
      response.status === 404
        ? 'check registry and repository, that it exists there, and that the credentials may see it'
        : 'run the job again; if it persists, tell those who run the registry',
  });
}

/** No code is agreed on: Quay TAG_IMMUTABLE, ECR TAG_INVALID "… is immutable", Harbor 412 PRECONDITION, others say so in words. */
function isImmutableTag(status: number, fault: RegistryFault | undefined): boolean {
  if (fault === undefined || ![400, 403, 405, 409, 412].includes(status)) {
    return false;
  }
  return (
    fault.code === 'TAG_IMMUTABLE' ||
    (status === 412 && fault.code === 'PRECONDITION') ||
    /immutab|cannot be overwritten|cannot update tag/i.test(fault.text)
  );
}
