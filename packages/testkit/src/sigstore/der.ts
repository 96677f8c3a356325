/** The little of DER (ITU-T X.690) that timestamps, SCTs and ECDSA signatures need. */

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content. */
  readonly raw: Buffer;
}

/** Tag, definite length, content. */
export function encode(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) {
    return Buffer.concat([Buffer.from([tag, body.length]), body]);
  }
  const hex = body.length.toString(16);
  const length = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
}

/** SEQUENCE of members that are DER already. */
export function sequence(...members: readonly Uint8Array[]): Buffer {
  return encode(TAG.sequence, ...members);
}

/** SET OF: members sorted by their encoding (X.690 §11.6). */
export function setOf(...members: readonly Buffer[]): Buffer {
  return encode(TAG.set, ...members.toSorted(Buffer.compare));
}

/** `[number]`, constructed: EXPLICIT around its content. */
export function contextTag(number: number, ...content: readonly Uint8Array[]): Buffer {
  return encode(0xa0 | number, ...content);
}

/** OCTET STRING around `bytes`. */
export function octetString(bytes: Uint8Array): Buffer {
  return encode(TAG.octetString, bytes);
}

/** UTF8String. */
export function utf8String(text: string): Buffer {
  return encode(TAG.utf8String, Buffer.from(text));
}

/** A non-negative INTEGER. */
export function integer(value: bigint | number): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return encode(TAG.integer, (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
}

/** OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return encode(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** GeneralizedTime in whole seconds, UTC: a fraction's trailing zeros are a trap for readers. */
export function generalizedTime(date: Date): Buffer {
  return encode(TAG.generalizedTime, Buffer.from(`${date.toISOString().slice(0, 19).replace(/[-T:]/g, '')}Z`));
}

/** The elements that `bytes` consists of. Throws on anything that is not definite-length DER. */
function decodeAll(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const element = decodeAt(bytes, offset);
    elements.push(element);
    offset += element.raw.length;
  }
  return elements;
}

/** The members of the one SEQUENCE that `bytes` is. Throws when it is anything else. */
export function decodeSequence(bytes: Buffer): Element[] {
  const [element, ...more] = decodeAll(bytes);
  if (element?.tag !== TAG.sequence || more.length > 0) {
    throw new Error('not a DER SEQUENCE');
  }
  return decodeAll(element.content);
}

function decodeAt(bytes: Buffer, offset: number): Element {
  const tag = bytes[offset];
  const short = bytes[offset + 1];
  if (tag === undefined || short === undefined || short === 0x80 || short > 0x84) {
    throw new Error('not DER');
  }
  const lengthBytes = short & 0x80 ? short & 0x7f : 0;
  const start = offset + 2 + lengthBytes;
  if (start > bytes.length) {
    throw new Error('DER length is cut short');
  }
  const length = lengthBytes === 0 ? short : bytes.readUIntBE(offset + 2, lengthBytes);
  if (start + length > bytes.length) {
    throw new Error('DER content is cut short');
  }
  return { tag, content: bytes.subarray(start, start + length), raw: bytes.subarray(offset, start + length) };
}

function base128(component: number): number[] {
  const digits = [component % 128];
  for (let rest = Math.floor(component / 128); rest > 0; rest = Math.floor(rest / 128)) {
    digits.unshift((rest % 128) | 0x80);
  }
  return digits;
}
