import { Command, Flags } from '@oclif/core';
import { UsageError } from '../errors.ts';

export default class Figures extends Command {
  static override summary = 'Draw the five figures of the paper';

  static override description =
    'Draws figures 1 to 5, each as SVG, PNG (twice the size) and a page that needs nothing else, light and dark: figure-1.svg, figure-1-dark.svg, figure-1.png, figure-1-dark.png, figure-1.html, … Files of these names are replaced. The runs are made here and now, unless a run file is given. 1: loss and sharpness. 2: the parts of the loss, with the predicted slope. 3: sharpness of the minimum ahead, between its bounds. 4: gradient flows and their minimizers. 5: gradient descent, gradient flow and constrained trajectory.';

  static override examples = [
    { description: 'all of them', command: '<%= config.bin %> figures --out figures' },
    { description: 'two of them', command: '<%= config.bin %> figures --out figures --only 2,5' },
    { description: 'of a run of your own', command: '<%= config.bin %> figures --run run.parquet --out figures' },
  ];

  static override flags = {
    out: Flags.string({
      description: 'folder to write to; made where it is missing',
      helpValue: 'FOLDER',
      required: true,
      env: 'EOS_FIGURES_OUT',
    }),
    run: Flags.string({ description: 'draw this run file (Parquet or Arrow) instead', helpValue: 'FILE' }),
    only: Flags.string({ description: 'numbers of the figures to draw [1,2,3,4,5]', helpValue: 'N,M' }),
    format: Flags.string({ description: 'formats to write [svg,png,html]', helpValue: 'A,B' }),
    quiet: Flags.boolean({ char: 'q', description: 'say nothing but errors' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Figures);
    if (flags.out === '') throw new UsageError('--out: the name of the folder is empty');
    const { drawFigures, pickFigures, pickFormats } = await import('../figures/draw-figures.ts');
    const { runsFor } = await import('../figures/runs.ts');
    const figures = pickFigures(list(flags.only));
    await drawFigures(figures, pickFormats(list(flags.format)), flags.out, runsFor(flags.run), (path) => {
      if (!flags.quiet) process.stderr.write(`wrote ${path}\n`);
    });
  }
}

function list(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(',').map((word) => word.trim());
}
