import { readFileSync } from 'node:fs';

/** What a piece of work cost, done by processes that this one starts. */
export interface Cost {
  readonly wallMs: number;
  /** User and system time of all processes that ended meanwhile. */
  readonly cpuMs: number;
  /** Largest resident memory of all processes at one moment, in bytes. */
  readonly peakBytes: number;
}

/** Kernel ticks per second as shown in /proc (proc_pid_stat(5), USER_HZ): 100 on every Linux. */
const TICKS_PER_SECOND = 100;
const SAMPLE_EVERY_MS = 20;

/** Runs `work` and says what it cost. Children that are there already, the servers, do not count. */
export async function measure<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly cost: Cost }> {
  const servers = new Set(childrenOf(process.pid));
  let peakBytes = 0;
  const sampler = setInterval(() => {
    peakBytes = Math.max(peakBytes, memoryNow(servers));
  }, SAMPLE_EVERY_MS);
  const [cpuBefore, start] = [childrenCpuMs(), performance.now()];
  try {
    const value = await work();
    return { value, cost: { wallMs: performance.now() - start, cpuMs: childrenCpuMs() - cpuBefore, peakBytes } };
  } finally {
    clearInterval(sampler);
  }
}

/** `cutime` and `cstime` of this process: all children that ended and were waited for, with theirs (proc_pid_stat(5)). */
function childrenCpuMs(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[13]) + Number(fields[14])) * 1000) / TICKS_PER_SECOND;
}

function memoryNow(except: ReadonlySet<number>): number {
  let sum = 0;
  // A single process may have been larger between two samples: the kernel keeps its high-water mark.
  let largest = 0;
  const queue = childrenOf(process.pid).filter((pid) => !except.has(pid));
  for (const pid of queue) {
    const status = readProc(`${pid}/status`);
    sum += kilobytes(status, 'VmRSS');
    largest = Math.max(largest, kilobytes(status, 'VmHWM'));
    queue.push(...childrenOf(pid));
  }
  return Math.max(sum, largest) * 1024;
}

function kilobytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
}

/** Node starts processes from its main thread. */
function childrenOf(pid: number): number[] {
  return readProc(`${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

/** Empty for a process that ended a moment ago. */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
