import type { Sample, Side } from './side.ts';
import type { Profile } from './world.ts';

/** One round of one way of working on one case. */
export interface Measurement {
  readonly work: string;
  readonly components: number;
  readonly profile: Profile;
  readonly side: Side;
  readonly sample: Sample;
}

/** All rounds of it. */
interface Rounds extends Omit<Measurement, 'sample'> {
  readonly samples: readonly Sample[];
}

/** What is compared: theirs ÷ ours, so that above 1 is better for us. Medians of the rounds. */
const COLUMNS = {
  'wall s': (sample: Sample) => sample.cost.wallMs / 1000,
  'CPU s': (sample: Sample) => sample.cost.cpuMs / 1000,
  'peak MB': (sample: Sample) => sample.cost.peakBytes / 1e6,
  'HTTP requests': (sample: Sample) => Object.values(sample.requests).reduce((sum, count) => sum + count, 0),
  'Fulcio calls': (sample: Sample) => sample.requests.fulcio,
  tokens: (sample: Sample) => sample.requests.token,
} as const;

const READINGS = Object.entries(COLUMNS);

/** Measured ratios, our own figures, and the goals, as text. */
export function report(measurements: readonly Measurement[]): string {
  const all = collect(measurements);
  return `ratios, theirs / ours: above 1 is better for us

${ratioTable(all)}

${stepTable(all)}

${goalList(all)}`;
}

function collect(measurements: readonly Measurement[]): Rounds[] {
  const found = new Map<string, Rounds>();
  for (const { sample, ...one } of measurements) {
    const key = `${caseName(one)} ${one.side}`;
    found.set(key, { ...one, samples: [...(found.get(key)?.samples ?? []), sample] });
  }
  return [...found.values()];
}

/** A table of ratios, each with both figures behind it. */
function ratioTable(all: readonly Rounds[]): string {
  const rows = all
    .filter(({ side }) => side !== 'actions')
    .map((theirs) => {
      const ours = oursFor(all, theirs);
      const cells = READINGS.map(([, read]) =>
        ours === undefined ? '–' : ratioCell(median(theirs, read), median(ours, read)),
      );
      return [caseName(theirs), theirs.side, ...cells];
    });
  return table(['', 'theirs', ...READINGS.map(([name]) => `${name}: ×`)], rows);
}

/** What each of our processes took. */
function stepTable(all: readonly Rounds[]): string {
  const rows = all
    .filter(({ side }) => side === 'actions')
    .flatMap((ours) => [
      figureRow(caseName(ours), ours),
      ...Object.keys(ours.samples[0]?.steps ?? {}).map((step) => stepRow(step, ours)),
    ]);
  return table(['ours', ...READINGS.map(([name]) => name)], rows);
}

function figureRow(name: string, rounds: Rounds): string[] {
  return [name, ...READINGS.map(([, read]) => figure(median(rounds, read)))];
}

/** Requests are counted for all steps together. */
function stepRow(step: string, rounds: Rounds): string[] {
  const samples = rounds.samples.flatMap((sample) => {
    const cost = sample.steps?.[step];
    return cost === undefined ? [] : [{ ...sample, cost }];
  });
  return figureRow(`   ${step}`, { ...rounds, samples }).slice(0, 4);
}

/** The goals that these measurements can answer, each with what was measured. */
function goalList(all: readonly Rounds[]): string {
  const faster = (name: string, theirs: Rounds | undefined, wanted: number) => {
    const ours = theirs === undefined ? undefined : oursFor(all, theirs);
    if (theirs === undefined || ours === undefined) {
      return [];
    }
    const seen = median(theirs, COLUMNS['wall s']) / median(ours, COLUMNS['wall s']);
    return [verdict(seen >= wanted, `${name}: ${seen.toFixed(1)} ×, wanted ≥ ${wanted} ×`)];
  };
  const shipped = (profile: Profile, components: number, side: Side) =>
    all.find(
      (one) => one.work === 'ship' && one.profile === profile && one.components === components && one.side === side,
    );
  const ours = all.filter(({ side }) => side === 'actions');
  return [
    ...faster('ship 50 on loopback against one by one', shipped('loopback', 50, 'tools one by one'), 5),
    ...faster('ship 50 on loopback against eight at a time', shipped('loopback', 50, 'tools eight at a time'), 2),
    ...faster('ship 1 over WAN', shipped('wan', 1, 'tools one by one'), 3),
    ...faster('ship 50 over WAN against eight at a time', shipped('wan', 50, 'tools eight at a time'), 5),
    ...ours.map((one) => {
      const [certificates, tokens] = [median(one, COLUMNS['Fulcio calls']), median(one, COLUMNS.tokens)];
      const ok = certificates === 1 && tokens === 1;
      return verdict(ok, `${caseName(one)}: ${certificates} certificate(s) and ${tokens} token(s), wanted one of each`);
    }),
    ...ours
      .filter(({ components }) => components === 200)
      .map((one) => {
        const peak = median(one, COLUMNS['peak MB']);
        return verdict(peak <= 300, `${caseName(one)}: ${peak.toFixed(0)} MB, wanted ≤ 300 MB`);
      }),
  ].join('\n');
}

function verdict(ok: boolean, text: string): string {
  return `${ok ? 'met   ' : 'MISSED'} ${text}`;
}

function caseName({ work, components, profile }: Omit<Measurement, 'sample'>): string {
  return `${work} ${components}, ${profile}`;
}

function oursFor(all: readonly Rounds[], theirs: Rounds): Rounds | undefined {
  return all.find((one) => one.side === 'actions' && caseName(one) === caseName(theirs));
}

function median({ samples }: Rounds, read: (sample: Sample) => number): number {
  return samples.map(read).sort((a, b) => a - b)[Math.floor(samples.length / 2)] ?? Number.NaN;
}

function ratioCell(theirs: number, ours: number): string {
  return `${(theirs / ours).toFixed(1)} (${figure(theirs)} / ${figure(ours)})`;
}

function figure(value: number): string {
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toPrecision(2);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}
