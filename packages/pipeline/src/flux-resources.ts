/** What a cluster needs to follow one channel of one component. */
export interface FluxTarget {
  readonly component: string;
  /** `registry/repository`. */
  readonly repository: string;
  readonly tag: string;
  readonly issuer: string;
  readonly subject: string;
  /** Environments in the artifact; the first one is used and the others are named beside it. */
  readonly environments: readonly string[];
  readonly pathPrefix: string;
}

/** Name of the Secret that holds the pinned root in the examples. */
export const TRUSTED_ROOT_SECRET = 'gitless-trusted-root';

/**
 * The OCIRepository and Kustomization to paste into the fleet: exactly one identity, anchored and escaped, because Flux takes both fields
 * for Go regular expressions and refuses several entries (source-controller `internal/oci/cosign`); a pinned root (Flux ≥ 2.9).
 */
export function fluxResources(target: FluxTarget): string {
  const [environment = '', ...others] = target.environments;
  const path = ['.', target.pathPrefix, environment].filter((part) => part !== '').join('/');
  const choice = others.length === 0 ? '' : ` # this cluster's environment; also: ${others.join(', ')}`;
  // A resource's name may not hold "_" (RFC 1123 subdomain); quoted, because a component may be called "2048" or "on".
  const name = yamlString(target.component.replaceAll('_', '-'));
  return `apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata:
  name: ${name}
  namespace: flux-system
spec:
  interval: 5m
  url: oci://${target.repository}
  ref:
    tag: ${yamlString(target.tag)}
  verify:
    provider: cosign
    trustedRootSecretRef:
      name: ${TRUSTED_ROOT_SECRET}
    matchOIDCIdentity:
      - issuer: ${yamlString(anchored(target.issuer))}
        subject: ${yamlString(anchored(target.subject))}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: ${name}
  namespace: flux-system
spec:
  interval: 10m
  sourceRef:
    kind: OCIRepository
    name: ${name}
  path: ${yamlString(path)}${choice}
  prune: true
`;
}

/** A Go RE2 pattern that matches `text` and nothing else (pkg.go.dev/regexp/syntax; the set that `regexp.QuoteMeta` escapes). */
export function anchored(text: string): string {
  return `^${text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')}$`;
}

/** Single-quoted YAML: backslashes stay as they are. */
function yamlString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
