import type { X509Certificate } from '@sigstore/core';
import type { TrustedRoot } from '@sigstore/protobuf-specs';
import { type TrustMaterial, toTrustMaterial } from '@sigstore/verify';

const known = new WeakMap<TrustedRoot, TrustMaterial>();

/** What `@sigstore/verify` takes for trusted, made once of each root: a job verifies hundreds of bundles with the same one. */
export function trustMaterialOf(root: TrustedRoot): TrustMaterial {
  let material = known.get(root);
  if (material === undefined) {
    material = toTrustMaterial(root);
    for (const { certChain } of [...material.certificateAuthorities, ...material.timestampAuthorities]) {
      certChain.forEach(keepEncoding);
    }
    known.set(root, material);
  }
  return material;
}

/**
 * Lets a certificate be encoded once. `@sigstore/verify` compares certificates by encodings that it makes anew each time, node by node,
 * which was more than half of a verification. What was parsed never changes: the library takes the SCT out of a copy.
 */
export function keepEncoding({ root, tbsCertificate }: X509Certificate): void {
  for (const part of [...tbsCertificate.subs, tbsCertificate, root]) {
    const encode = part.toDER.bind(part);
    let der: Buffer | undefined;
    part.toDER = () => {
      der ??= encode();
      return der;
    };
  }
}
