import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { canonicalJson } from '@gitless/core';
import { type Answer, jsonAnswer } from '../oidc/loopback-server.ts';
import { verifyPrehashed } from './ecdsa-prehashed.ts';
import { generateSigningKey, type SigningKey, signSha256 } from './keys.ts';
import { createMerkleTree, leafHash, type MerkleTree } from './merkle-tree.ts';
import type { Misbehaviour } from './misbehaviour.ts';
import { bytesAt, grpcError, readMessage, textAt, valueAt } from './requests.ts';

const KEY_DETAILS = 'PKIX_ECDSA_P256_SHA_256';

export interface RekorLog {
  readonly key: SigningKey;
  /** `POST /api/v2/log/entries` of rekor-tiles ≥ 2.3 (internal/server/service.go): hashedrekord 0.0.2 only. */
  createEntry(body: Buffer): Answer;
}

/** `origin` is the name that checkpoints carry: the hostname of the log's URL, without its port. */
export function createRekorLog(origin: () => string, misbehaviour: Misbehaviour): RekorLog {
  const key = generateSigningKey();
  const tree = createMerkleTree();
  const indexByLeafHash = new Map<string, number>();

  function inclusionProof(index: number): unknown {
    const path = tree.inclusionPath(index);
    const hashes = misbehaviour.wrongInclusionProof ? path.map(flipFirstBit) : path;
    return {
      logIndex: String(index),
      treeSize: String(tree.size()),
      rootHash: tree.root().toString('base64'),
      hashes: hashes.map((hash) => hash.toString('base64')),
      checkpoint: { envelope: checkpoint(origin(), tree, key) },
    };
  }

  return {
    key,
    createEntry: (body) => {
      const { message, syntaxError } = readMessage(body);
      const fault = syntaxError ?? unknownField(message, CREATE_ENTRY_REQUEST, body);
      if (fault !== undefined) {
        return grpcError('invalidArgument', fault);
      }
      const request = valueAt(message, 'hashedRekordRequestV002');
      if (request === undefined) {
        return grpcError('invalidArgument', 'invalid type, must be hashedrekord');
      }
      const entry = logEntry(request);
      if (entry === undefined) {
        return grpcError('invalidArgument', 'invalid hashedrekord request');
      }
      const hash = leafHash(entry).toString('hex');
      const duplicate = indexByLeafHash.get(hash);
      if (duplicate !== undefined) {
        const message = `an equivalent entry already exists in the transparency log with index ${duplicate}`;
        return grpcError('alreadyExists', message, { 'x-log-index': String(duplicate) });
      }
      if (misbehaviour.wrongInclusionProof && tree.size() === 0) {
        // The path of a lone entry is empty: there would be nothing to get wrong.
        tree.append(Buffer.from('an earlier entry'));
      }
      const index = tree.append(entry);
      indexByLeafHash.set(hash, index);
      return jsonAnswer(201, {
        logIndex: String(index),
        logId: { keyId: key.id.toString('base64') },
        kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
        integratedTime: '0',
        inclusionPromise: null,
        inclusionProof: inclusionProof(index),
        canonicalizedBody: entry.toString('base64'),
      });
    },
  };
}

type Fields = { readonly [name: string]: Fields };

/** Bytes, or a message whose fields do not matter. */
const BYTES: Fields = {};
const KEY: Fields = { rawBytes: BYTES };
const VERIFIER: Fields = { keyDetails: BYTES, publicKey: KEY, x509Certificate: KEY };
/** rekor-tiles `api/proto/rekor/v2`; what a DSSE request may hold does not matter, it is refused. */
const CREATE_ENTRY_REQUEST: Fields = {
  hashedRekordRequestV002: { digest: BYTES, signature: { content: BYTES, verifier: VERIFIER } },
  dsseRequestV002: BYTES,
};

/** Unlike Fulcio, rekor-tiles takes no field that it does not know. */
function unknownField(message: unknown, fields: Fields, body: Buffer): string | undefined {
  for (const [name, value] of Object.entries(typeof message === 'object' && message !== null ? message : {})) {
    const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (known === undefined) {
      return `proto: (line 1:${body.indexOf(`"${name}"`) + 1}): unknown field "${name}"`;
    }
    const inner = known === BYTES ? undefined : unknownField(value, known, body);
    if (inner !== undefined) {
      return inner;
    }
  }
  return undefined;
}

/** The body that the log keeps, RFC 8785 canonical; `undefined` unless the signature is one over the digest. */
function logEntry(request: unknown): Buffer | undefined {
  const digest = bytesAt(request, 'digest');
  const signature = bytesAt(request, 'signature', 'content');
  const verifier = parseVerifier(valueAt(request, 'signature', 'verifier'));
  if (verifier === undefined || !verifyPrehashed(verifier.key, digest, signature)) {
    return undefined;
  }
  const body = {
    apiVersion: '0.0.2',
    kind: 'hashedrekord',
    spec: {
      hashedRekordV002: {
        data: { algorithm: 'SHA2_256', digest: digest.toString('base64') },
        signature: { content: signature.toString('base64'), verifier: verifier.json },
      },
    },
  };
  return Buffer.from(canonicalJson(body).trimEnd());
}

function parseVerifier(verifier: unknown): { readonly key: KeyObject; readonly json: unknown } | undefined {
  if (textAt(verifier, 'keyDetails') !== KEY_DETAILS) {
    return undefined;
  }
  const certificate = bytesAt(verifier, 'x509Certificate', 'rawBytes');
  const publicKey = bytesAt(verifier, 'publicKey', 'rawBytes');
  try {
    return certificate.length > 0
      ? { key: new X509Certificate(certificate).publicKey, json: verifierJson('x509Certificate', certificate) }
      : {
          key: createPublicKey({ key: publicKey, format: 'der', type: 'spki' }),
          json: verifierJson('publicKey', publicKey),
        };
  } catch {
    return undefined;
  }
}

function flipFirstBit(hash: Buffer): Buffer {
  const flipped = Buffer.from(hash);
  flipped.writeUInt8(flipped.readUInt8(0) ^ 0x80, 0);
  return flipped;
}

function verifierJson(kind: 'x509Certificate' | 'publicKey', bytes: Buffer): unknown {
  return { keyDetails: KEY_DETAILS, [kind]: { rawBytes: bytes.toString('base64') } };
}

/** C2SP tlog-checkpoint in a C2SP signed-note; for ECDSA the key id is the start of the SHA-256 of the SPKI. */
function checkpoint(origin: string, tree: MerkleTree, key: SigningKey): string {
  const note = `${origin}\n${tree.size()}\n${tree.root().toString('base64')}\n`;
  const signature = Buffer.concat([key.id.subarray(0, 4), signSha256(key, Buffer.from(note))]);
  return `${note}\n\u2014 ${origin} ${signature.toString('base64')}\n`;
}
