/** What the demo says while it runs: plain lines, never a cursor movement; colour on a terminal only (no-color.org). */
export interface Screen {
  line(text?: string): void;
  heading(title: string, note: string): void;
  /** Announces a step, runs it, and says that it is done and how long it took. */
  step<T>(name: string, purpose: string, work: () => Promise<T>): Promise<T>;
  /** Aligned `label  value` lines; an empty label goes on with the one above. */
  facts(rows: readonly Fact[]): void;
  failure(text: string): void;
}

export type Fact = readonly [label: string, value: string];

export interface Terminal {
  readonly write: (text: string) => void;
  readonly colour: boolean;
}

/** Of names and labels alike, so that everything to their right stands in one column. */
const LABEL_WIDTH = 19;

export function createScreen({ write, colour }: Terminal): Screen {
  const paint = (code: number) => (text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const [bold, dim, red, green] = [paint(1), paint(2), paint(31), paint(32)];
  const line = (text = '') => write(`${text}\n`);

  return {
    line,
    heading: (title, note) => line(`\n${bold(title)}  ${dim(note)}`),
    async step(name, purpose, work) {
      line(`\n  ${dim(`· ${name.padEnd(LABEL_WIDTH)}${purpose}`)}`);
      const start = performance.now();
      try {
        const result = await work();
        const seconds = ((performance.now() - start) / 1000).toFixed(2);
        line(`  ${green('✓')} ${bold(name.padEnd(LABEL_WIDTH))}${seconds} s`);
        return result;
      } catch (error) {
        line(`  ${red('✗')} ${bold(name)}`);
        throw error;
      }
    },
    facts(rows) {
      for (const [label, value] of rows) {
        line(`    ${dim(label.padEnd(LABEL_WIDTH))}${value}`);
      }
    },
    failure: (text) => line(`\n${red('The demo failed.')} ${text}`),
  };
}
