import { UsageError } from '../errors.ts';
import { Command, Flags } from '../oclif.ts';

export default class Figures extends Command {
  static override summary = 'Draw the five figures of the paper, or the maps of a sweep';

  static override description =
    'Draws figures 1 to 5, each as SVG, PNG (twice the size) and a page that needs nothing ' +
    'else, light and dark: figure-1.svg, figure-1-dark.svg, figure-1.png, figure-1-dark.png, ' +
    'figure-1.html, … Files of these names are replaced. The runs are made here and now, ' +
    'unless a run file is given; of that, what cannot be drawn is left out, and said, unless ' +
    '--only asks for it. 1: loss and sharpness. 2: the parts of the loss, with the predicted ' +
    'slope. 3: sharpness of the minimum ahead, between its bounds. 4: gradient flows and ' +
    'their minimizers. 5: gradient descent, gradient flow and constrained trajectory. Of the ' +
    'run of a network, 1: loss and the top of the spectrum. 2: the energy at the edge, and in ' +
    'how many directions. 3: accuracy.';

  static override examples = [
    { description: 'all of them', command: '<%= config.bin %> figures --out figures' },
    { description: 'two of them', command: '<%= config.bin %> figures --out figures --only 2,5' },
    {
      description: 'the phase diagram of a sweep',
      command: '<%= config.bin %> figures --sweep diagram --out figures',
    },
    {
      description: 'one map of it for each of three λ₁',
      command:
        '<%= config.bin %> figures --sweep diagram --only cycles --facet lambda1 --out figures',
    },
    {
      description: 'of a run of your own',
      command: '<%= config.bin %> figures --run run.parquet --out figures',
    },
  ];

  static override flags = {
    out: Flags.string({
      description: 'folder to write to; made where it is missing',
      helpValue: 'FOLDER',
      required: true,
      env: 'EOS_FIGURES_OUT',
    }),
    run: Flags.string({
      description: 'draw this run file (Parquet or Arrow) instead',
      helpValue: 'FILE',
    }),
    only: Flags.string({
      description:
        'numbers of the figures to draw [1,2,3,4,5]; of a sweep the quantities to map, such ' +
        'as outcome',
      helpValue: 'N,M',
    }),
    sweep: Flags.string({
      description: 'draw maps of the sweep in this folder',
      helpValue: 'DIR',
      helpGroup: 'SWEEP',
    }),
    x: Flags.string({
      description: 'parameter along the x axis [eta]',
      helpValue: 'NAME',
      helpGroup: 'SWEEP',
    }),
    y: Flags.string({
      description: 'parameter along the y axis',
      helpValue: 'NAME',
      helpGroup: 'SWEEP',
    }),
    facet: Flags.string({
      description: 'parameter with a map for each of its values',
      helpValue: 'NAME',
      helpGroup: 'SWEEP',
    }),
    where: Flags.string({
      description: 'only runs with these values; may be given several times',
      helpValue: 'NAME=V,W',
      helpGroup: 'SWEEP',
      multiple: true,
    }),
    format: Flags.string({ description: 'formats to write [svg,png,html]', helpValue: 'A,B' }),
    quiet: Flags.boolean({ char: 'q', description: 'say nothing but errors' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Figures);
    if (flags.out === '') throw new UsageError('--out: the name of the folder is empty');
    if (flags.sweep !== undefined) {
      const { drawSweep } = await import('../sweep/draw-sweep.ts');
      const { sweep, x, y, facet, where, run, format, out, quiet } = flags;
      if (run !== undefined) throw new UsageError('--run: give a run or a --sweep, not both');
      await drawSweep(
        {
          sweep,
          x,
          y,
          facet,
          where: where ?? [],
          only: list(flags.only),
          formats: list(format),
          out,
        },
        (path) => {
          if (!quiet) process.stderr.write(`wrote ${path}\n`);
        },
        (line) => process.stderr.write(`${line}\n`),
      );
      return;
    }
    for (const name of ['x', 'y', 'facet', 'where'] as const) {
      if (flags[name] !== undefined)
        throw new UsageError(`--${name}: this is for maps of a sweep; give --sweep DIR too`);
    }
    const { drawFigures, pickFigures, pickFormats } = await import('../figures/draw-figures.ts');
    const { runsFor } = await import('../figures/runs.ts');
    const tell = (line: string) => {
      if (!flags.quiet) process.stderr.write(`${line}\n`);
    };
    const wrote = (path: string) => tell(`wrote ${path}`);
    const formats = pickFormats(list(flags.format));
    if (flags.run !== undefined) {
      const { drawNetwork } = await import('../figures/network-figures.ts');
      if (await drawNetwork(flags.run, list(flags.only), formats, flags.out, wrote)) return;
    }
    const figures = pickFigures(list(flags.only));
    await drawFigures(
      figures,
      flags.only !== undefined,
      formats,
      flags.out,
      runsFor(flags.run, figures),
      {
        wrote,
        leftOut: ({ number }, reason) => tell(`left out figure ${number}: ${reason}`),
      },
    );
  }
}

function list(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.split(',').map((word) => word.trim());
}
