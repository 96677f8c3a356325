/** Where a library tells its progress. Implementations mask secrets; callers never pass one. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warning(message: string): void;
  /** Runs `work` inside a collapsible group that is closed whatever happens. */
  group<T>(title: string, work: () => Promise<T>): Promise<T>;
}

/** Says nothing: for tests and probes. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warning() {},
  group: (_title, work) => work(),
};
