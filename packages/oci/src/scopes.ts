/** `repository:<name>:pull`, for reading (distribution `docs/spec/auth/scope.md`). */
export function pullScope(repository: string): string {
  return `repository:${repository}:pull`;
}

/** `repository:<name>:pull,push`: writing always asks for both, as some registries want pull for HEAD and mount. */
export function pushScope(repository: string): string {
  return `repository:${repository}:pull,push`;
}

/** The scopes with push added, if they are all for reading. */
export function withPush(scopes: readonly string[]): string[] | undefined {
  return scopes.every((scope) => scope.endsWith(':pull')) ? scopes.map((scope) => `${scope},push`) : undefined;
}

/** Whether a token for `granted` also serves `wanted`. */
export function covers(granted: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((scope) => granted.includes(scope) || granted.includes(`${scope},push`));
}

/**
 * `wanted`, widened by the actions that a challenge's space separated `scope` names for the same repositories. Others
 * are left out: a registry cannot make us ask for a token to something that the caller did not name.
 */
export function widen(wanted: readonly string[], challenged: string): string[] {
  const asked = challenged.split(' ').map(splitScope);
  return wanted.map((scope) => {
    const { resource, actions } = splitScope(scope);
    const more = asked.filter((other) => other.resource === resource).flatMap((other) => other.actions);
    return `${resource}:${[...new Set([...actions, ...more])].join(',')}`;
  });
}

function splitScope(scope: string): { resource: string; actions: string[] } {
  const colon = scope.lastIndexOf(':');
  return {
    resource: scope.slice(0, Math.max(colon, 0)),
    actions: scope
      .slice(colon + 1)
      .split(',')
      .filter(isAction),
  };
}

function isAction(text: string): boolean {
  return /^(?:[a-z]+|\*)$/.test(text);
}
