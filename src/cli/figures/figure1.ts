import { loss } from '../../dash/plots/series/loss.ts';
import { sharpness } from '../../dash/plots/series/sharpness.ts';
import { count, formatNumber } from '../../pipeline/format.ts';
import { findExcursions } from '../../pipeline/theory/checks/excursions.ts';
import { firstCrossing, type RunTable, wholeCycles } from '../../pipeline/theory/run-table.ts';
import { type FigureSpec, tooShort } from './figure.ts';
import { plottableRun, seriesPanel, thresholdOf } from './run-lines.ts';
import { glued, parameters } from './words.ts';

/** Training loss, and sharpness with the threshold. */
export const figure1: FigureSpec = {
  number: 1,
  preset: 'paper',
  needs: ['loss', 'sharpness'],
  unfit: tooShort,
  draw: (table, theme) => ({
    title: title(table),
    caption: glued(
      `Gradient descent on the minimal network, ${parameters(table)}; ` +
        `${table.stability.formula} = ${formatNumber(thresholdOf(table), 4)}. ${story(table)}`,
    ),
    panels: [
      seriesPanel(loss, plottableRun(table), theme, {
        title: 'Training loss',
        only: ['loss'],
        scale: 'linear',
      }),
      seriesPanel(sharpness, plottableRun(table), theme, { only: ['sharpness', 'threshold'] }),
    ],
  }),
};

function title(table: RunTable): string {
  const crossing = firstCrossing(table);
  if (table.divergedAt !== null) return 'Training loss and sharpness of a run that diverges';
  const comesBack = crossing > 0 ? closedExcursions(table) > 0 : wholeCycles(table).length > 0;
  if (crossing < 0 || !comesBack) return 'Training loss and sharpness';
  return crossing > 0
    ? 'Progressive sharpening, then the edge of stability'
    : 'The edge of stability';
}

function closedExcursions(table: RunTable): number {
  return findExcursions(table).filter(({ open }) => !open).length;
}

/** What S and L do in this run, and nothing that they do not. */
function story(table: RunTable): string {
  const crossing = firstCrossing(table);
  const edge = table.stability.formula;
  if (crossing < 0) return `The sharpness S never comes to ${edge}${diverges(table, ', and ')}.`;
  const all = findExcursions(table);
  const closed = closedExcursions(table);
  const comes =
    crossing > 0
      ? `The sharpness S rises to ${edge}`
      : `The sharpness S is at or over ${edge} from the start`;
  if (closed === 0) {
    const stays = ' and stays over it to the end';
    return `${comes}${table.divergedAt === null ? stays : diverges(table, ', and ')}.`;
  }
  const back = closed === all.length ? 'is brought back' : `${closed} of them it is brought back`;
  const went =
    all.length === 1
      ? 'it goes over once, and is brought back'
      : `it goes over ${all.length} times, and ${back}`;
  const over = `${comes}; ${went}`;
  if (table.divergedAt !== null)
    return `${over}, until the run diverges at step ${count(table.divergedAt)}.`;
  const loss = table.column('loss');
  const spikes = spikesIn(table)
    ? `; ${all.length === 1 ? 'meanwhile' : 'each time'} the loss spikes`
    : '';
  const falls = loss.at(-1)! < loss[crossing]! ? ', while in the long run the loss falls' : '';
  return `${over}${spikes}${falls}.`;
}

function diverges({ divergedAt }: RunTable, lead: string): string {
  return divergedAt === null ? '' : `${lead}the run diverges at step ${count(divergedAt)}`;
}

/**
 * Whether every excursion that is over has a loss in it, or just after, that is higher than where
 * it began.
 */
function spikesIn(table: RunTable): boolean {
  const { step } = table;
  const loss = table.column('loss');
  const all = findExcursions(table);
  let row = 0;
  return all.every(({ first_step, open }, k) => {
    if (open) return true;
    while (step[row]! < first_step) row++;
    const until = all[k + 1]?.first_step ?? Number.POSITIVE_INFINITY;
    for (let i = row; i < table.length && step[i]! < until; i++)
      if (loss[i]! > 1.2 * loss[row]!) return true;
    return false;
  });
}
