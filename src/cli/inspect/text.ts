import { count, fileSize, plainNumber, plural } from '../../pipeline/format.ts';
import {
  etaVerdictText,
  spikeCauseText,
  storedSpikes,
  storedVerdict,
} from '../../pipeline/phases/measured/spike-text.ts';
import { predictionLines } from '../predict/text.ts';
import { type Styles, styles } from '../terminal.ts';
import type { Report } from './report.ts';

const BARS = '▁▂▃▄▅▆▇█';

/** A report as lines for people. */
export function reportLines(report: Report, stream: NodeJS.WriteStream): string[] {
  const paint = styles(stream);
  const { bold, dim } = paint;
  const kind = report.kind === 'parquet' ? 'Parquet' : 'Arrow';
  const rows = plural(report.rows, 'row');
  const groups =
    report.kind === 'parquet'
      ? plural(report.row_groups, 'row group')
      : plural(report.row_groups, 'record batch', 'record batches');
  return [
    `${bold(printable(report.file))}  ${kind}, ${fileSize(report.bytes)}, ${rows}, ${groups}`,
    ...unfinishedLines(report, paint),
    ...missingLines(report, paint),
    '',
    ...section('parameters', objectLines(report.config), paint),
    ...section('phases', phaseLines(report), paint),
    ...section('outcome', outcomeLines(report), paint),
    ...section('spikes', spikeLines(report), paint),
    ...section('what could be said before the run', predictedLines(report), paint),
    ...section(`sharpness`, sparklineLines(report, dim), paint),
    ...section('columns', schemaLines(report), paint),
  ];
}

function section(title: string, lines: readonly string[], { bold }: Styles): string[] {
  return lines.length === 0 ? [] : [bold(title), ...lines.map((line) => `  ${line}`), ''];
}

function unfinishedLines({ unfinished, file }: Report, { yellow }: Styles): string[] {
  if (unfinished === undefined) return [];
  return [
    yellow(
      unfinished === 'growing'
        ? 'still being written; these are the rows that are safe so far'
        : `left unfinished; make a whole file of these rows with: eos recover ${printable(file)}`,
    ),
  ];
}

function missingLines(
  { missing_columns: columns, missing_metadata: metadata, schema }: Report,
  { yellow }: Styles,
): string[] {
  const wrong = schema.filter(({ expected }) => expected !== null);
  return [
    ...(columns.length > 0 ? [yellow(`missing columns: ${columns.join(', ')}`)] : []),
    ...(metadata.length > 0 ? [yellow(`missing metadata: ${metadata.join(', ')}`)] : []),
    ...wrong.map(({ name, type, expected }) =>
      yellow(`column ${printable(name)} is ${printable(type)}, in a run file it is ${expected}`),
    ),
  ];
}

function objectLines(config: Report['config']): string[] {
  if (config === null) return [];
  const entries = Object.entries(config).filter(
    ([, value]) => value !== null && typeof value !== 'object',
  );
  const init = Array.isArray(config.init) ? [['init', config.init.join(',')] as const] : [];
  const pairs = [...entries, ...init].map(
    ([key, value]) => `${printable(key)} ${printable(String(value))}`,
  );
  return wrapped(pairs, 90);
}

function wrapped(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 3 <= width)
      lines[lines.length - 1] = `${last} · ${word}`;
    else lines.push(word);
  }
  return lines;
}

function phaseLines({ phases }: Report): string[] {
  if (phases.length === 0) return [];
  const rows = phases.map(({ phase, first_step, last_step }) => [
    printable(phase),
    count(first_step),
    count(last_step),
    count(last_step - first_step + 1),
  ]);
  return aligned([['phase', 'first step', 'last step', 'steps'], ...rows]);
}

/** Columns side by side: the first one left, numbers right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((row) => row[c]!.length)));
  return rows.map((row) =>
    row
      .map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!)))
      .join('  '),
  );
}

/** What could be said before the run, beside what it did. */
function predictedLines({ predicted, measured }: Report): string[] {
  if (predicted === null || predicted.reason !== undefined) return [];
  return predictionLines(predicted, measured ?? undefined, 1);
}

/** How far the numbers of a run can be trusted; null for files that do not tell. */
function trustText(summary: Readonly<Record<string, unknown>>): string | null {
  const { precision, trusted_until: until } = summary;
  if (precision === undefined) return null;
  const bits = typeof precision === 'number' ? ` (${precision} bits)` : '';
  return typeof until === 'number'
    ? `up to step ${count(until)}${bits}: what depends on later ones is not`
    : `in every row${bits}`;
}

function outcomeLines(report: Report): string[] {
  const { summary, threshold, config } = report;
  // What stands beside a run has no outcome of its own.
  if (summary === null || config?.dynamics !== undefined || config?.weights !== undefined)
    return [];
  const number = (key: string) =>
    typeof summary[key] === 'number' ? (summary[key] as number) : null;
  const lines: [string, string][] = [];
  const add = (label: string, text: string | null) => {
    if (text !== null) lines.push([label, text]);
  };
  const whole = (key: string) => {
    const value = number(key);
    return value === null ? null : count(value);
  };
  const real = (key: string) => {
    const value = number(key);
    return value === null ? null : plainNumber(value);
  };
  const until = number('trusted_until');
  // Marks what depends on a later step than can be trusted, or on all.
  const marked = (text: string | null, step = Number.POSITIVE_INFINITY) =>
    text === null || until === null || step <= until ? text : `${text} (digits not true)`;
  add(
    'outcome',
    marked(printable(String(summary.outcome ?? '?'))) +
      (summary.interrupted === true ? ' (interrupted)' : ''),
  );
  add('cycles', marked(whole('cycles')));
  add(
    `first crossing of ${threshold}`,
    marked(whole('first_crossing') ?? 'never', number('first_crossing') ?? undefined),
  );
  const largest = real('max_sharpness_ratio');
  add('largest sharpness', marked(largest === null ? null : `${largest} × ${asFactor(threshold)}`));
  add('diverged at step', marked(whole('diverged_at')));
  add('final loss', marked(real('final_loss')));
  add('T(δ, ε)', marked(convergenceText(summary.convergence_time)));
  // The formulas are for covariance 0.
  const said = (key: string) => (isCoupled(report.config) ? null : real(key));
  add(
    'slope of ln L̂ per step',
    marked(against(real('l_hat_slope'), said('l_hat_slope_predicted'))),
  );
  add('mean L₁ at the edge', marked(against(real('mean_l1_in_eos'), said('mean_l1_predicted'))));
  add('digits are true', trustText(summary));
  for (const warning of Array.isArray(summary.warnings) ? summary.warnings : []) {
    const message: unknown =
      typeof warning === 'object' && warning !== null ? warning.message : warning;
    add('warning', printable(String(message)));
  }
  const width = Math.max(...lines.map(([label]) => label.length));
  return lines.map(([label, text]) => `${label.padEnd(width)}  ${text}`);
}

/** A sum stands in brackets where it is multiplied. */
const asFactor = (threshold: string) => (threshold.endsWith(' − λ') ? `(${threshold})` : threshold);

/** Spikes that are told one by one. */
const MOST_SPIKES = 10;

function spikeLines({ summary }: Report): string[] {
  const spikes = storedSpikes(summary?.spikes);
  if (spikes.length === 0) return [];
  const verdict = storedVerdict(summary?.eta_verdict);
  const told = summary?.spike_count;
  const more = (typeof told === 'number' ? told : spikes.length) - MOST_SPIKES;
  return [
    ...spikes
      .slice(0, MOST_SPIKES)
      .map(
        (spike) =>
          `at ${count(spike.step)}, × ${plainNumber(spike.rise, 3)}: ${spikeCauseText(spike)}`,
      ),
    ...(more > 0 ? [`and ${count(more)} more`] : []),
    ...(verdict ? [etaVerdictText(verdict)] : []),
  ];
}

function isCoupled(config: Report['config']): boolean {
  const moments = (config?.moments ?? {}) as { readonly covariance?: unknown };
  return typeof moments.covariance === 'number' && moments.covariance !== 0;
}

function against(fitted: string | null, predicted: string | null): string | null {
  if (fitted === null) return null;
  return predicted === null ? `${fitted} measured` : `${fitted} measured, ${predicted} predicted`;
}

function convergenceText(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null;
  const { delta, epsilon, step } = value as Record<string, unknown>;
  const at = typeof step === 'number' ? count(step) : 'not reached';
  return `${at} (δ = ${printable(String(delta))}, ε = ${printable(String(epsilon))})`;
}

function sparklineLines({ sharpness, threshold }: Report, dim: (text: string) => string): string[] {
  if (sharpness === null) return [];
  const { bins, column } = sharpness;
  const top = Math.max(...bins.map((value) => value ?? Number.NEGATIVE_INFINITY));
  const height = (value: number) =>
    top > 0 ? Math.max(0, Math.floor((value / top) * (BARS.length - 0.001))) : 0;
  const bars = bins.map((value) => (value === null ? ' ' : BARS[height(value)])).join('');
  const unit = column === 'sharpness_ratio' ? ` × ${asFactor(threshold)}` : '';
  return [`${bars}  ${dim(`S up to ${plainNumber(top)}${unit}`)}`];
}

function schemaLines({ schema }: Report): string[] {
  return wrapped(
    schema.map(({ name, type }) => `${printable(name)} ${printable(type)}`),
    90,
  );
}

/** Text out of a file, without anything that a terminal would obey. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what has to go
  const clean = text.slice(0, 200).replace(/[\u0000-\u001f\u007f-\u009f]/g, '�');
  return text.length > 200 ? `${clean}…` : clean;
}
