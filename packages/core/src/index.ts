export { type Build, BuildSchema, fluxRevision, runUrl } from './build.ts';
export { canonicalJson, type Json } from './canonical-json.ts';
export type { Context, Exec, ExecOptions, ExecResult } from './context.ts';
export { type Digest, hexOf, isDigest, parseDigest, sha256 } from './digest.ts';
export { describeError, errorMessage, formatError, type Problem, UserError } from './errors.ts';
export {
  createHttpClient,
  DEFAULT_HTTP_SETTINGS,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  type HttpSettings,
} from './http.ts';
export { type Logger, silentLogger } from './log.ts';
export { isLoopback } from './loopback.ts';
export { isMissingFile } from './missing-file.ts';
export { ANNOTATION_PREFIX, isName, requireName, URI_BASE } from './names.ts';
export { allBounded, mapBounded, type Settled } from './parallel.ts';
export { describeIssue, parseJsonWith, parseWith, type Source } from './parse.ts';
export { PREDICATE, type PredicateType, REQUIRED_PREDICATES } from './predicate-types.ts';
export {
  STATEMENT_PAYLOAD_TYPE,
  STATEMENT_TYPE,
  type Statement,
  StatementSchema,
  statementAbout,
} from './statement.ts';
