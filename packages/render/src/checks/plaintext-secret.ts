import { isMapping } from '../yaml.ts';

/** How SOPS marks each encrypted value (getsops/sops `cipher`: AES256_GCM is its only one). */
const ENCRYPTED = 'ENC[AES256_GCM,';
/** A variable without default: Flux fills it from the cluster (kustomize-controller, post-build substitution). */
const SUBSTITUTED = /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/;

/**
 * The Secrets in a parsed document (also inside a list) that hold values in the clear: one message each, with keys and
 * never values. Values encrypted by SOPS and `${VAR}` are no plaintext.
 */
export function plaintextSecrets(value: unknown): string[] {
  if (!isMapping(value)) {
    return [];
  }
  const items = Array.isArray(value['items']) ? value['items'].map((item) => itemOf(value, item)) : [];
  return [...items.flatMap(plaintextSecrets), ...(isSecret(value) ? plaintextKeys(value) : [])];
}

/** An item without a kind is what its list says (apimachinery `unstructuredJSONScheme.decodeToList`). */
function itemOf({ kind }: Readonly<Record<string, unknown>>, item: unknown): unknown {
  return kind === 'SecretList' && isMapping(item) && item['kind'] === undefined ? { ...item, kind: 'Secret' } : item;
}

/** Patches may leave the apiVersion out. */
function isSecret(value: Readonly<Record<string, unknown>>): boolean {
  return value['kind'] === 'Secret' && (value['apiVersion'] === 'v1' || value['apiVersion'] === undefined);
}

function plaintextKeys(secret: Readonly<Record<string, unknown>>): string[] {
  const isSealed = isMapping(secret['sops']) && isEncrypted(secret['sops']['mac']);
  const keys = ['data', 'stringData'].flatMap((field) =>
    entriesOf(secret[field])
      .filter(([, value]) => !(isSealed && isEncrypted(value)) && !(field === 'data' && holdsSopsFile(value)))
      .filter(([, value]) => isPlaintext(value))
      .map(([key]) => `${field}.${key}`),
  );
  if (keys.length === 0) {
    return [];
  }
  const metadata = isMapping(secret['metadata']) ? secret['metadata'] : {};
  return [`Secret ${String(metadata['name'] ?? '(unnamed)')} holds ${keys.join(', ')} in the clear`];
}

/** Whatever stands in place of a mapping counts as one value: the check must not depend on its form. */
function entriesOf(data: unknown): [string, unknown][] {
  return isMapping(data) ? Object.entries(data) : [['(all)', data]];
}

/** Whether `value` is something that must not be read by everyone who can pull. */
export function isPlaintext(value: unknown): boolean {
  if (value === undefined || value === null || value === '') {
    return false;
  }
  return !(typeof value === 'string' && SUBSTITUTED.test(value.trim()));
}

/** Whether a file is as `sops encrypt` writes it, in any of its formats. */
export function isSopsFile(text: string): boolean {
  return text.includes(ENCRYPTED) && /\bsops(?:_mac|")?\b/.test(text);
}

function isEncrypted(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith(ENCRYPTED) && value.endsWith(']');
}

/** kustomize-controller also decrypts SOPS files that a generator put into `data`. */
function holdsSopsFile(value: unknown): boolean {
  return typeof value === 'string' && isSopsFile(Buffer.from(value, 'base64').toString('utf8'));
}
