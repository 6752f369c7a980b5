import type { Sample } from './measure.ts';
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
  readonly seconds: readonly number[];
  readonly median: number;
  readonly stepsPerSecond: number | null;
  /** Its time over ours, round by round; the median of that. */
  readonly timesOurs: number;
  /** Fewer than the work's where the time is scaled up. */
  readonly ranSteps: number;
}

export function reportWork(
  work: Work,
  samples: readonly Sample[],
  absent: readonly { readonly name: string; readonly why: string }[],
): WorkReport {
  const ours = samples[0]!.seconds;
  const contenders = samples.map(({ contender, seconds }) => {
    const typical = median(seconds);
    return {
      name: contender.name,
      seconds,
      median: typical,
      stepsPerSecond: work.steps > 0 ? work.steps / typical : null,
      timesOurs: median(seconds.map((value, round) => value / ours[round]!)),
      ranSteps: contender.steps ?? work.steps,
    };
  });
  const goals = work.goals.flatMap(({ peer, factor }) => {
    const found = contenders.find(({ name }) => name === peer);
    if (!found) return [];
    return [
      {
        text: `at least ${factor} × ${peer}`,
        value: found.timesOurs,
        met: found.timesOurs >= factor,
      },
    ];
  });
  if (work.atMostSeconds !== undefined) {
    const value = median(ours);
    goals.push({
      text: `at most ${work.atMostSeconds} s`,
      value,
      met: value <= work.atMostSeconds,
    });
  }
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
    ];
    lines.push(
      `  ${cells.join('  ')}  ${short(c.timesOurs).padStart(6)} × ours  ${scaled}`.trimEnd(),
    );
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
