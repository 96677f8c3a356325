import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  allBounded,
  type Build,
  type Context,
  type Digest,
  errorMessage,
  isMissingFile,
  PREDICATE,
  parseJsonWith,
  type Statement,
  StatementSchema,
  statementAbout,
  UserError,
} from '@gitless/core';
import { completeProvenance } from '@gitless/evidence';
import type { Descriptor } from '@gitless/oci';
import { type Signer, type TrustedRoot, verifyBundle } from '@gitless/signing';
import { RUN_AGAIN } from './handover.ts';
import { findArtifact, STATEMENT_FILES, type StoredArtifact, writeBundle } from './layout-store.ts';

export interface SignedBundle {
  readonly predicateType: string;
  /** Of the referrer's manifest. */
  readonly digest: Digest;
  readonly entry: Descriptor;
  readonly bundle: Uint8Array;
  readonly logIndex: string;
}

export interface SignRequest {
  readonly layout: string;
  /** Directory with the unsigned statements of all components. */
  readonly statements: string;
  readonly component: string;
  readonly digest: Digest;
  readonly build: Build;
  /** Server and `job_workflow_ref` of the run that signs. */
  readonly builderId: string;
  readonly signer: Signer;
  readonly trustedRoot: TrustedRoot;
}

/**
 * Signs all statements about one artifact of the layout: signature, provenance, SBOM, checks. A bundle that is there already, verifies
 * and comes from this identity is kept, so that a re-run only adds what is missing (invariant 6). The caller lists the entries in the
 * layout's index once all are written.
 */
export async function signComponent(context: Context, request: SignRequest): Promise<SignedBundle[]> {
  const artifact = await findArtifact(request.layout, request.component, request.digest);
  const statements = await statementsToSign(request);
  // All at once: Rekor v2 answers at its next checkpoint only, which is about a second for each that waits for another.
  return allBounded(
    statements,
    statements.length,
    context.signal,
    async (statement) =>
      keepBundle(artifact, statement, request) ?? (await signStatement(artifact, statement, request)),
  );
}

async function signStatement(
  artifact: StoredArtifact,
  statement: Statement,
  { layout, signer }: SignRequest,
): Promise<SignedBundle> {
  const { bundle, verified } = await signer.sign(statement);
  const { predicateType } = statement;
  const entry = await writeBundle(layout, artifact, { bytes: bundle, predicateType, signedAt: verified.signedAt });
  return { predicateType, digest: entry.digest, entry, bundle, logIndex: verified.logIndex };
}

/** The signature statement first: its bundle is the one that a person asks for. */
async function statementsToSign(request: SignRequest): Promise<Statement[]> {
  const statements = [statementAbout(request.digest, PREDICATE.signature, {}, request.component)];
  for (const [predicateType, file] of Object.entries(STATEMENT_FILES)) {
    const statement = await readStatement(
      join(request.statements, request.component, file),
      predicateType,
      request.digest,
    );
    if (statement !== undefined) {
      statements.push(predicateType === PREDICATE.provenance ? complete(statement, request) : statement);
    }
  }
  const missing = [PREDICATE.provenance, PREDICATE.sbom].filter(
    (type) => !statements.some(({ predicateType }) => predicateType === type),
  );
  if (missing.length > 0) {
    throw new UserError({
      code: 'STATEMENT_MISSING',
      what: `package left no statement about ${request.component}`,
      details: missing,
      fix: 'run package again and give this step the same work-dir',
    });
  }
  return statements;
}

function complete(statement: Statement, { builderId, build }: SignRequest): Statement {
  return { ...statement, predicate: completeProvenance(statement.predicate, { builderId, build }) };
}

/** Undefined when there is no such file. Throws `STATEMENT_CHANGED`. */
async function readStatement(path: string, predicateType: string, digest: Digest): Promise<Statement | undefined> {
  let json: Uint8Array;
  try {
    json = await readFile(path);
  } catch (error) {
    if (isMissingFile(error)) {
      return undefined;
    }
    throw new UserError({
      code: 'STATEMENT_CHANGED',
      what: `${path} cannot be read`,
      why: errorMessage(error),
      fix: RUN_AGAIN,
    });
  }
  const statement = parseJsonWith(StatementSchema, json, { code: 'STATEMENT_CHANGED', where: path, fix: RUN_AGAIN });
  const subjects = statement.subject.map((subject) => `sha256:${subject.digest.sha256}`);
  if (statement.predicateType !== predicateType || subjects.length !== 1 || subjects[0] !== digest) {
    throw new UserError({
      code: 'STATEMENT_CHANGED',
      what: `${path} is not the statement that package wrote`,
      details: [
        `expected ${predicateType} about ${digest}`,
        `seen ${statement.predicateType} about ${subjects.join(', ')}`,
      ],
      fix: 'run package again and let nothing else write to the work-dir',
    });
  }
  return statement;
}

function keepBundle(artifact: StoredArtifact, statement: Statement, request: SignRequest): SignedBundle | undefined {
  const { issuer, subject } = request.signer.certificate;
  for (const { predicateType, entry, bundle } of artifact.bundles) {
    if (predicateType !== statement.predicateType) {
      continue;
    }
    try {
      const verified = verifyBundle(request.trustedRoot, bundle, { digest: request.digest, issuer, subject });
      if (verified.statement.predicateType === predicateType) {
        return { predicateType, digest: entry.digest, entry, bundle, logIndex: verified.logIndex };
      }
    } catch {
      // A bundle that does not verify is replaced by a new one.
    }
  }
  return undefined;
}
