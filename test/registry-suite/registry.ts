import type { Credentials } from '@gitless/oci';

/** A registry that the suite runs against. */
export interface RegistryUnderTest {
  readonly name: string;
  readonly kind: RegistryKind;
  /** What it wants before it answers. */
  readonly access: 'open' | 'basic' | 'token';
  /** Largest page of a tag list; `undefined` where a list is never cut unless `n` asks for it. */
  readonly tagsPerPage: number | undefined;
  start(): Promise<RunningRegistry>;
}

export type RegistryKind = 'distribution' | 'go-containerregistry' | 'embedded';

type Login = Extract<Credentials, { kind: 'basic' }>;

export interface RunningRegistry {
  /** `127.0.0.1:<port>`. */
  readonly host: string;
  /** Whether it has the referrers API. */
  readonly referrers: boolean;
  /** May do everything; absent where `access` is `open`. */
  readonly credentials?: Login;
  /** Where `access` is `token`. */
  readonly tokens?: TokenControl;
  close(): Promise<void>;
}

interface TokenControl {
  /** From now on no token is good for this repository. */
  withdraw(repository: string): void;
  /** Runs `use`. What was given to it as a token has expired afterwards, long before the time that came with it. */
  expireAfter(use: () => Promise<void>): Promise<void>;
}
