import { firstCrossing } from '../../pipeline/theory/run-table.ts';
import { curve, grids, level } from './curves.ts';
import type { FigureSpec } from './figure.ts';
import { glued, parameters, plain } from './words.ts';

/** Training loss, and sharpness with the line 2/η. */
export const figure1: FigureSpec = {
  number: 1,
  preset: 'paper',
  draw(table, theme, plot) {
    const { step } = table;
    const threshold = 2 / table.config.eta;
    const crosses = firstCrossing(table) >= 0;
    const sharpness = table.column('sharpness');
    return {
      title: crosses ? 'Progressive sharpening, then the edge of stability' : 'Training loss and sharpness',
      caption: glued(
        `Gradient descent on the minimal network, ${parameters(table)}; 2/η = ${plain(threshold)}. ${crosses ? 'The sharpness S rises to 2/η and stays around it; each time it goes over, the loss spikes and S is brought back, while the loss falls in the long run.' : 'The sharpness S never comes to 2/η.'}`,
      ),
      panels: [
        {
          title: 'Training loss',
          legend: [{ label: 'L', color: theme.blue, kind: 'line' }],
          options: {
            x: { label: 'step t' },
            y: { label: 'training loss L', zero: true },
            marks: [...grids(plot, theme), curve(plot, step, table.column('loss'), { color: theme.blue })],
          },
        },
        {
          title: 'Sharpness',
          legend: [
            { label: 'S, largest eigenvalue of the Hessian', color: theme.blue, kind: 'line' },
            { label: '2/η', color: theme.text, kind: 'line', dash: '6 4', width: 1.6 },
          ],
          options: {
            x: { label: 'step t' },
            y: { label: 'sharpness S', zero: true, nice: true },
            marks: [
              ...grids(plot, theme),
              curve(plot, step, sharpness, { color: theme.blue }),
              ...level(plot, threshold, '', theme),
            ],
          },
        },
      ],
    };
  },
};
