import { count, plainNumber, plural } from '../pipeline/format.ts';
import type { MeasuredEvent } from '../pipeline/operators/detect-measured-phases.ts';
import type { NetworkEvent } from '../pipeline/operators/network-pipeline.ts';
import { etaVerdictText, spikeCauseText } from '../pipeline/phases/measured/spike-text.ts';
import { fold, type Styles } from './terminal.ts';

/** Columns before the text of an event. */
const INDENT = 20;

/**
 * The lines of the live log of a detection for an event; none for those that would only repeat
 * another.
 */
export function logEventLines(event: MeasuredEvent, styles: Styles): string[] {
  return eventTexts(event, styles).flatMap((text) => fold(text, INDENT));
}

function eventTexts(
  event: MeasuredEvent | NetworkEvent,
  { bold, dim, blue, yellow, green, red }: Styles,
): string[] {
  const at = (step: number) => dim(`t ${count(step).padStart(8)}`);
  switch (event.event) {
    case 'start': {
      const known = [
        ...(event.eta === null ? [] : [`η = ${plainNumber(event.eta)}`]),
        ...(event.threshold === null
          ? []
          : [`threshold (${event.optimizer}) ${plainNumber(event.threshold)}`]),
        ...quantities(event),
      ];
      const taken = Object.entries(event.columns).map(([field, name]) => `${field} = ${name}`);
      return [
        `${at(event.step)}  start   ${event.log}: ${known.join(', ')}`,
        ...(taken.length > 0 ? [`${at(event.step)}  columns ${taken.join(', ')}`] : []),
      ];
    }
    case 'phase': {
      if (event.what === 'withdrawn')
        return [
          `${at(event.detected_step)}  ${bold('phase')}   no longer ` +
            `${event.phase.replaceAll('-', ' ')} from ${count(event.step)}`,
        ];
      const paint = PAINT[event.phase] ?? 'blue';
      const color = { blue, yellow, green, red }[paint];
      const seen =
        event.detected_step === event.step ? '' : `, seen at ${count(event.detected_step)}`;
      const sure = event.confidence >= 0.995 ? '' : `, confidence ${event.confidence.toFixed(2)}`;
      const facts = event.what === 'redated' ? 'now dated from here' : quantities(event).join(', ');
      return [
        `${at(event.step)}  ${bold('phase')}   ` +
          `${color(event.phase.replaceAll('-', ' '))}${facts ? `: ${facts}` : ''}${seen}${sure}`,
      ];
    }
    case 'cycle':
    case 'flush':
      return [];
    case 'jump':
      return [
        `${at(event.step)}  jump    threshold from ${plainNumber(event.from)} to ` +
          `${plainNumber(event.to)}: history starts anew`,
      ];
    case 'spike': {
      const ratio =
        event.sharpness_ratio === null ? '' : `, ${plainNumber(event.sharpness_ratio)} × threshold`;
      return [
        `${at(event.step)}  spike   L = ${plainNumber(event.loss)}, ` +
          `${plainNumber(event.rise, 3)} × the level ` +
          `before${'cause' in event ? `: ${spikeCauseText(event)}` : ratio}`,
      ];
    }
    case 'warning':
      return [`${at(event.step)}  ${red('warning')} ${event.message}`];
    case 'done': {
      const end = event.diverged_at === null ? '' : ` at t = ${count(event.diverged_at)}`;
      const crossing =
        event.first_crossing === null
          ? ''
          : `, at the edge from t = ${count(event.first_crossing)}`;
      const ratio =
        event.max_sharpness_ratio === null
          ? ''
          : `, largest sharpness ${plainNumber(event.max_sharpness_ratio)} × threshold`;
      const state = event.interrupted ? ' so far (interrupted)' : '';
      return [
        `${at(event.last_step)}  ${bold('done')}    ` +
          `${OUTCOME[event.outcome]}${end}${state}${crossing}: ` +
          `${plural(event.cycles, 'cycle')}, ${plural(event.spike_count, 'spike')}${ratio}, L = ` +
          `${plainNumber(event.final_loss)} (${plural(event.rows, 'row')}, ` +
          `${count(event.measured)} with a sharpness)`,
        ...('eta_verdict' in event && event.eta_verdict
          ? [`${at(event.last_step)}  ${bold('done')}    ${etaVerdictText(event.eta_verdict)}`]
          : []),
      ];
    }
  }
}

const PAINT: Readonly<Record<string, 'blue' | 'yellow' | 'green' | 'red'>> = {
  'edge-of-stability': 'yellow',
  catapult: 'yellow',
  convergence: 'green',
  diverged: 'red',
};

const OUTCOME = {
  diverged: 'diverged',
  'gradient-flow': 'never at the edge',
  converged: 'converged',
  'edge-of-stability': 'edge of stability',
  unknown: 'unknown (no sharpness was logged)',
} as const;

function quantities({
  sharpness,
  ratio,
  loss,
}: {
  readonly sharpness: number | null;
  readonly ratio: number | null;
  readonly loss: number | null;
}): string[] {
  const compared = ratio === null ? '' : ` (${plainNumber(ratio)} × threshold)`;
  return [
    ...(sharpness === null ? [] : [`S = ${plainNumber(sharpness)}${compared}`]),
    ...(loss === null ? [] : [`L = ${plainNumber(loss)}`]),
  ];
}
