import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createJobLog, type JobLog } from './job-log.ts';

function logOf(text: string, secrets: string[] = [], debug = false): JobLog {
  const log = createJobLog(secrets, debug);
  for (const line of text.split('\n')) {
    log.line(line);
  }
  return log;
}

describe('the job log', () => {
  it('turns commands into annotations and groups, unescaped', () => {
    const log = logOf(
      '::group::Sign\n  ::error file=a%2Cb,title=x::50%25 failed%0Asee %250A\n::debug::hidden\n::endgroup::',
    );
    expect(log.annotations).toEqual([{ level: 'error', message: '50% failed\nsee %0A' }]);
    expect(log.lines).toEqual(['##[group]Sign', '##[error]50% failed', 'see %0A', '##[endgroup]']);
  });

  it('leaves alone what is no command of the runner', () => {
    const text = 'a::error::b\n::unknown::c\n:: error::d\nstd::vector';
    expect(logOf(text)).toMatchObject({ lines: text.split('\n'), annotations: [] });
  });

  it('obeys the older form anywhere in a line', () => {
    expect(logOf('chart ##[warning]injected').annotations).toEqual([{ level: 'warning', message: 'injected' }]);
  });

  it('masks from the command on, whole and by line, never showing the command', () => {
    const log = logOf('s3cret early\n::add-mask::s3cret%0Aother\nxs3crets3cretx other\n::notice::s3cret');
    expect(log.lines).toEqual(['s3cret early', 'x***x ***', '##[notice]***']);
    expect([log.masks, log.annotations]).toEqual([['s3cret\nother'], [{ level: 'notice', message: 's3cret' }]]);
  });

  it('shows nothing of a secret that it knows, wherever it stands', () => {
    const secret = fc.stringMatching(/^[a-d]{3,6}$/);
    fc.assert(
      fc.property(fc.array(secret, { minLength: 1 }), fc.stringMatching(/^[a-d ]{0,40}$/), (secrets, text) => {
        const [line = ''] = logOf(text, secrets).lines;
        expect(secrets.filter((value) => line.includes(value))).toEqual([]);
        expect(line.includes('***')).toBe(secrets.some((value) => text.includes(value)));
      }),
    );
  });

  it('does not obey between stop-commands and its token', () => {
    const log = logOf('::stop-commands::tok\n::error::no\n::tok::\n::error::yes');
    expect(log.annotations).toEqual([{ level: 'error', message: 'yes' }]);
    expect(log.lines).toContain('::error::no');
  });

  it('takes outputs from the deprecated command, refuses variables', () => {
    const log = logOf('::set-output name=digest::sha256:1\n::set-env name=PATH::/tmp');
    expect(log.outputs.get('digest')).toBe('sha256:1');
    expect(log.annotations).toEqual([
      { level: 'error', message: expect.stringContaining('Unable to process command') },
    ]);
  });

  it('shows debug lines on request', () => {
    expect(logOf('::debug::detail', [], true).lines).toEqual(['##[debug]detail']);
  });
});
