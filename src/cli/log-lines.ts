import { count, percent, plainNumber, plural } from '../pipeline/format.ts';
import type { RunEvent } from '../pipeline/sinks/phase-log.ts';
import { fold, type Styles } from './terminal.ts';

/** Columns before the text of an event. */
const INDENT = 20;

/** The lines of the live log for an event, none for those that only programs want. */
/**
 * @param predicts whether the predicted slope is that of the run: the formula is for covariance 0
 */
export function eventLines(
  event: RunEvent,
  styles: Styles,
  formula = '2/η',
  predicts = true,
): string[] {
  return eventTexts(event, styles, formula, predicts).flatMap((text) => fold(text, INDENT));
}

function eventTexts(
  event: RunEvent,
  { bold, dim, blue, yellow, green, red }: Styles,
  formula: string,
  predicts: boolean,
): string[] {
  const at = (step: number) => dim(`t ${count(step).padStart(8)}`);
  const doubt = (trusted = true) => (trusted ? '' : dim(' (digits not true)'));
  switch (event.event) {
    case 'start':
      return [
        `${at(event.step)}  start   ${count(event.steps)} steps at η = ` +
          `${plainNumber(event.eta)}: ${formula} = ${plainNumber(event.threshold)}, S = ` +
          `${plainNumber(event.sharpness)}, L = ${plainNumber(event.loss)}`,
      ];
    case 'phase': {
      const paint = {
        'progressive-sharpening': blue,
        'edge-of-stability': yellow,
        convergence: green,
      }[event.phase];
      return [
        `${at(event.step)}  ${bold('phase')}   ${paint(event.phase.replaceAll('-', ' '))}: S ` +
          `= ${plainNumber(event.sharpness)} (${plainNumber(event.ratio, 3)} × ${formula}), L = ` +
          `${plainNumber(event.loss)}${doubt(event.trusted)}`,
      ];
    }
    case 'cycle':
      return [
        `${at(event.step)}  cycle   ${String(event.cycle).padStart(3)}: peak L₁ = ` +
          `${plainNumber(event.peak_l1, 3)} at t = ${count(event.peak_step)}, S ` +
          `${percent(event.overshoot)} over ${formula}${doubt(event.trusted)}`,
      ];
    case 'flush':
      return [];
    case 'warning':
      return [`${at(event.step)}  ${red('warning')} ${event.message}`];
    case 'done': {
      const slope =
        event.l_hat_slope === null ? '' : `, slope of ln L̂ ${plainNumber(event.l_hat_slope)}`;
      const predicted =
        slope === '' || !predicts || event.l_hat_slope_predicted === null
          ? ''
          : ` (predicted ${plainNumber(event.l_hat_slope_predicted)})`;
      const end = event.diverged_at === null ? '' : ` at t = ${count(event.diverged_at)}`;
      const state = event.interrupted ? ' so far (interrupted)' : '';
      return [
        `${at(event.last_step)}  ${bold('done')}    ` +
          `${event.outcome.replaceAll('-', ' ')}${end}${state}: ` +
          `${plural(event.cycles, 'cycle')}, largest S = ` +
          `${plainNumber(event.max_sharpness_ratio)} × ${formula}, L = ` +
          `${plainNumber(event.final_loss)}${slope}${predicted}` +
          doubt(event.trusted_until === null),
      ];
    }
  }
}
