import type { Sample, Side } from './side.ts';
import type { Profile } from './world.ts';

/** One way of working measured on one case, all rounds. */
export interface Measurement {
  readonly work: 'ship' | 'promote';
  readonly components: number;
  readonly profile: Profile;
  readonly side: Side;
  readonly rounds: readonly Sample[];
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

/** A table of ratios, each with both figures behind it. */
export function ratioTable(measurements: readonly Measurement[]): string {
  const rows = measurements
    .filter(({ side }) => side !== 'actions')
    .map((theirs) => {
      const ours = oursFor(measurements, theirs);
      const cells = READINGS.map(([, read]) =>
        ours === undefined ? '–' : ratioCell(median(theirs, read), median(ours, read)),
      );
      return [caseName(theirs), theirs.side, ...cells];
    });
  return table(['', 'theirs', ...READINGS.map(([name]) => `${name}: ×`)], rows);
}

/** What each of our processes took. */
export function stepTable(measurements: readonly Measurement[]): string {
  const rows = measurements
    .filter(({ side }) => side === 'actions')
    .flatMap((ours) => {
      const steps = Object.keys(ours.rounds[0]?.steps ?? {});
      const all = [figureRow(caseName(ours), ours)];
      return [
        ...all,
        ...steps.map((step) =>
          figureRow(`   ${step}`, {
            ...ours,
            rounds: ours.rounds.flatMap((round) => {
              const cost = round.steps?.[step];
              return cost === undefined ? [] : [{ ...round, cost }];
            }),
          }).slice(0, 4),
        ),
      ];
    });
  return table(['ours', ...READINGS.map(([name]) => name)], rows);
}

function figureRow(name: string, measurement: Measurement): string[] {
  return [name, ...READINGS.map(([, read]) => figure(median(measurement, read)))];
}

/** The goals that these measurements can answer, each with what was measured. */
export function goalList(measurements: readonly Measurement[]): string {
  const faster = (name: string, theirs: Measurement | undefined, wanted: number) => {
    const ours = theirs === undefined ? undefined : oursFor(measurements, theirs);
    if (theirs === undefined || ours === undefined) {
      return [];
    }
    const seen = median(theirs, COLUMNS['wall s']) / median(ours, COLUMNS['wall s']);
    return [verdict(seen >= wanted, `${name}: ${seen.toFixed(1)} ×, wanted ≥ ${wanted} ×`)];
  };
  const shipped = (profile: Profile, components: number, side: Side) =>
    measurements.find(
      (one) => one.work === 'ship' && one.profile === profile && one.components === components && one.side === side,
    );
  const ours = measurements.filter(({ side }) => side === 'actions');
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

function caseName({ work, components, profile }: Measurement): string {
  return `${work} ${components}, ${profile}`;
}

function oursFor(measurements: readonly Measurement[], theirs: Measurement): Measurement | undefined {
  return measurements.find((one) => one.side === 'actions' && caseName(one) === caseName(theirs));
}

function median({ rounds }: Measurement, read: (sample: Sample) => number): number {
  return rounds.map(read).sort((a, b) => a - b)[Math.floor(rounds.length / 2)] ?? Number.NaN;
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
