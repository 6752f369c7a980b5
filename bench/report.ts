import type { Sample, Time } from './measure.ts';
import type { Work } from './works.ts';

export interface WorkReport {
  readonly name: string;
  readonly title: string;
  readonly steps: number;
  readonly contenders: readonly ContenderReport[];
  readonly absent: readonly { readonly name: string; readonly why: string }[];
  readonly goals: readonly {
    readonly text: string;
    readonly value: number;
    readonly met: boolean;
  }[];
}

export interface ContenderReport {
  readonly name: string;
  /** Seconds by the clock on the wall, round by round, and their median. */
  readonly seconds: readonly number[];
  readonly median: number;
  /** Median of the seconds of the processor. */
  readonly processor: number;
  readonly stepsPerSecond: number | null;
  /** Its time over ours, round by round; the median of that: on the wall, and of the processor. */
  readonly timesOurs: number;
  readonly processorTimesOurs: number;
  /** Fewer than the work's where the time is scaled up. */
  readonly ranSteps: number;
}

export function reportWork(
  work: Work,
  samples: readonly Sample[],
  absent: readonly { readonly name: string; readonly why: string }[],
): WorkReport {
  const ours = samples[0]!.times;
  const contenders = samples.map(({ contender, times }) => {
    const seconds = times.map(({ wall }) => wall);
    const typical = median(seconds);
    const overOurs = (of: keyof Time) =>
      median(times.map((time, round) => time[of] / ours[round]![of]));
    return {
      name: contender.name,
      seconds,
      median: typical,
      stepsPerSecond: work.steps > 0 ? work.steps / typical : null,
      processor: median(times.map(({ processor }) => processor)),
      timesOurs: overOurs('wall'),
      processorTimesOurs: overOurs('processor'),
      ranSteps: contender.steps ?? work.steps,
    };
  });
  const goals = work.goals.flatMap(({ peer, factor, of }) => {
    const found = contenders.find(({ name }) => name === peer);
    const own = contenders.find(({ name }) => name === (of ?? contenders[0]!.name));
    if (!found || !own) return [];
    return (['timesOurs', 'processorTimesOurs'] as const).map((clock) => {
      const value = found[clock] / own[clock];
      const by = clock === 'timesOurs' ? 'wall' : 'processor';
      return {
        text: `${own.name} at least ${factor} × ${peer}, ${by} time`,
        value,
        met: value >= factor,
      };
    });
  });
  return { name: work.name, title: work.title, steps: work.steps, contenders, absent, goals };
}

export function asText({ name, title, steps, contenders, absent, goals }: WorkReport): string {
  const lines = [`${name}  ${title}${steps > 0 ? ` (${steps.toLocaleString('en')} steps)` : ''}`];
  for (const c of contenders) {
    const rate = c.stepsPerSecond === null ? '' : `${short(c.stepsPerSecond / 1e6)} M steps/s`;
    const scaled =
      c.ranSteps < steps ? `scaled up from ${c.ranSteps.toLocaleString('en')} steps` : '';
    const spread = `${short(Math.min(...c.seconds))} … ${short(Math.max(...c.seconds))}`;
    const cells = [
      c.name.padEnd(24),
      `${short(c.median)} s`.padStart(9),
      spread.padStart(17),
      rate.padStart(17),
      `${short(c.timesOurs).padStart(6)} × ours`,
      `${short(c.processor).padStart(6)} s of the processor: ${short(c.processorTimesOurs)} × ours`,
    ];
    lines.push(`  ${cells.join('  ')}  ${scaled}`.trimEnd());
  }
  for (const { name: peer, why } of absent) lines.push(`  ${peer.padEnd(24)}    absent: ${why}`);
  for (const { text, value, met } of goals)
    lines.push(`  goal ${text}: ${short(value)}, ${met ? 'met' : 'MISSED'}`);
  return `${lines.join('\n')}\n`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
