/** What the servers do wrong on purpose; everything else about their answers stays right. A signer must notice each. */
export interface Misbehaviour {
  /** The embedded SCT names the log of the trusted root and is signed by another key. */
  wrongSct: boolean;
  /** Bits of the audit path are flipped; the checkpoint is right. */
  wrongInclusionProof: boolean;
  /** The timestamp names the authority's certificate and is signed by another key. */
  wrongTimestamp: boolean;
  /** The certificate binds the identity to a key that nobody asked for. */
  certificateForOtherKey: boolean;
}
