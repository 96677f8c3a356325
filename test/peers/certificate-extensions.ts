/** One element of DER (X.690 §8.1): definite lengths only, as certificates have them. */
interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

interface Extension {
  /** Dotted. */
  readonly oid: string;
  readonly critical: boolean;
  /** What the OCTET STRING holds. */
  readonly value: Buffer;
}

const TAG = { boolean: 0x01, oid: 0x06, utf8String: 0x0c, extensions: 0xa3 } as const;

/**
 * The extensions of a DER certificate in their order (RFC 5280 §4.1), read without any of the libraries that signer and
 * verifier use.
 */
export function extensionsOf(certificate: Buffer): Extension[] {
  const [tbs] = elementsIn(only(certificate).content);
  const wrapper = elementsIn(tbs?.content ?? Buffer.alloc(0)).find(({ tag }) => tag === TAG.extensions);
  const list = only(wrapper?.content ?? Buffer.alloc(0));
  return elementsIn(list.content).map(({ content }) => {
    const parts = elementsIn(content);
    const [oid, value] = [parts[0], parts.at(-1)];
    if (oid?.tag !== TAG.oid || value === undefined) {
      throw new Error('not an extension');
    }
    return { oid: dotted(oid.content), critical: parts[1]?.tag === TAG.boolean, value: value.content };
  });
}

/** The text in a DER UTF8String. Throws an Error for anything else. */
export function textOf(der: Buffer): string {
  const { tag, content } = only(der);
  if (tag !== TAG.utf8String) {
    throw new Error(`tag ${tag} is no UTF8String`);
  }
  return content.toString();
}

function only(der: Buffer): Element {
  const [element, ...more] = elementsIn(der);
  if (element === undefined || more.length > 0) {
    throw new Error(`${more.length === 0 ? 'no' : 'more than one'} element`);
  }
  return element;
}

function elementsIn(der: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < der.length; ) {
    const first = der.readUInt8(at + 1);
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes);
    const start = at + 2 + lengthBytes;
    elements.push({ tag: der.readUInt8(at), content: der.subarray(start, start + length) });
    at = start + length;
  }
  return elements;
}

/** X.690 §8.19, for arcs below 2. */
function dotted(content: Buffer): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const [head = 0, ...rest] = arcs;
  const first = Math.min(2, Math.floor(head / 40));
  return [first, head - first * 40, ...rest].join('.');
}
