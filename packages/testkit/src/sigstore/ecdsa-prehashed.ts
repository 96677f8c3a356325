import type { KeyObject } from 'node:crypto';
import { decodeSequence, TAG } from './der.ts';

/**
 * ECDSA P-256 over a digest that the caller has, not over data: `node:crypto` always hashes first, and a log never
 * sees what was signed. Only public values pass through here, so nothing is constant-time.
 */

const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Jacobian coordinates: x/z², y/z³; z = 0 is the point at infinity. */
interface Point {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
}

const INFINITY: Point = { x: 1n, y: 1n, z: 0n };
const G: Point = {
  x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  z: 1n,
};

/** FIPS 186-5 §6.4.2 for a 32-byte digest and a DER signature. False for another curve or a malformed signature. */
export function verifyPrehashed(key: KeyObject, digest: Uint8Array, signature: Buffer): boolean {
  const { crv, x, y } = key.asymmetricKeyType === 'ec' ? key.export({ format: 'jwk' }) : {};
  const scalars = readSignature(signature);
  if (crv !== 'P-256' || x === undefined || y === undefined || scalars === undefined || digest.length !== 32) {
    return false;
  }
  const { r, s } = scalars;
  if (r <= 0n || r >= N || s <= 0n || s >= N) {
    return false;
  }
  const inverse = invert(s, N);
  const u1 = mod(toBigInt(digest) * inverse, N);
  const u2 = mod(r * inverse, N);
  const q = { x: toBigInt(Buffer.from(x, 'base64url')), y: toBigInt(Buffer.from(y, 'base64url')), z: 1n };
  const sum = multiplyAndAdd(u1, G, u2, q);
  if (sum.z === 0n) {
    return false;
  }
  const affineX = mod(sum.x * invert(mod(sum.z * sum.z, P), P), P);
  return affineX % N === r;
}

function readSignature(signature: Buffer): { readonly r: bigint; readonly s: bigint } | undefined {
  try {
    const [r, s, ...more] = decodeSequence(signature);
    if (r?.tag === TAG.integer && s?.tag === TAG.integer && more.length === 0) {
      return { r: toSigned(r.content), s: toSigned(s.content) };
    }
  } catch {
    return undefined;
  }
  return undefined;
}

/** a·A + b·B, both sums in one pass over the bits (Shamir's trick). */
function multiplyAndAdd(a: bigint, pointA: Point, b: bigint, pointB: Point): Point {
  const both = add(pointA, pointB);
  let sum = INFINITY;
  for (let bit = 255n; bit >= 0n; bit -= 1n) {
    sum = double(sum);
    const inA = (a >> bit) & 1n;
    const inB = (b >> bit) & 1n;
    if (inA === 1n || inB === 1n) {
      sum = add(sum, inA === inB ? both : inA === 1n ? pointA : pointB);
    }
  }
  return sum;
}

/** Explicit-Formulas Database, shortw-jacobian-3, dbl-2001-b. */
function double({ x, y, z }: Point): Point {
  const delta = mod(z * z, P);
  const gamma = mod(y * y, P);
  const beta = mod(x * gamma, P);
  const alpha = mod(3n * (x - delta) * (x + delta), P);
  const x3 = mod(alpha * alpha - 8n * beta, P);
  return {
    x: x3,
    y: mod(alpha * (4n * beta - x3) - 8n * gamma * gamma, P),
    z: mod((y + z) * (y + z) - gamma - delta, P),
  };
}

/** Explicit-Formulas Database, shortw-jacobian-3, add-1998-cmo-2. */
function add(a: Point, b: Point): Point {
  if (a.z === 0n) {
    return b;
  }
  if (b.z === 0n) {
    return a;
  }
  const aZ2 = mod(a.z * a.z, P);
  const bZ2 = mod(b.z * b.z, P);
  const u1 = mod(a.x * bZ2, P);
  const s1 = mod(a.y * b.z * bZ2, P);
  const h = mod(b.x * aZ2 - u1, P);
  const r = mod(b.y * a.z * aZ2 - s1, P);
  if (h === 0n) {
    return r === 0n ? double(a) : INFINITY;
  }
  const h2 = mod(h * h, P);
  const h3 = mod(h * h2, P);
  const x3 = mod(r * r - h3 - 2n * u1 * h2, P);
  return { x: x3, y: mod(r * (u1 * h2 - x3) - s1 * h3, P), z: mod(a.z * b.z * h, P) };
}

function mod(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

/** Extended Euclid; `modulus` is prime, `value` not a multiple of it. */
function invert(value: bigint, modulus: bigint): bigint {
  let [low, high, lowFactor, highFactor] = [mod(value, modulus), modulus, 1n, 0n];
  while (low > 1n) {
    const ratio = high / low;
    [low, high, lowFactor, highFactor] = [high - ratio * low, low, highFactor - ratio * lowFactor, lowFactor];
  }
  return mod(lowFactor, modulus);
}

/** The value of a DER INTEGER's content, two's complement. */
function toSigned(content: Buffer): bigint {
  return BigInt.asIntN(content.length * 8, toBigInt(content));
}

function toBigInt(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);
}
