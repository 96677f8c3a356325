import { describe, expect, it } from 'vitest';
import { registryFault } from './registry-error.ts';

function fault(detail: string) {
  const body = Buffer.from(`{"errors":[{"code":"DENIED","message":"no\\n::error::x","detail":${detail}}]}`);
  return registryFault({ status: 403, headers: new Headers(), body });
}

describe('registryFault', () => {
  it('tells code, message and detail on one line', () => {
    expect(fault('{"a":1}')).toEqual({ code: 'DENIED', text: 'no ::error::x ({"a":1})' });
  });

  it('tells the rest where the detail nests too deep to be shown', () => {
    expect(fault('['.repeat(30_000) + ']'.repeat(30_000))).toEqual({ code: 'DENIED', text: 'no ::error::x' });
  });
});
