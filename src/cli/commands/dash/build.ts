import { Command, Flags } from '../../oclif.ts';

export default class DashBuild extends Command {
  static override summary =
    'Write the dashboard with runs, as a folder for any static host or as one HTML file';

  static override description =
    'The folder works from any static web server, under any path. With --single-file the page ' +
    'is one HTML file with the data inside, which opens from disk. Trajectories beside a run ' +
    '(run.gradient-flow.parquet, run.constrained.parquet, run.central.parquet) go along.';

  static override examples = [
    {
      description: 'a folder for a web server',
      command: '<%= config.bin %> dash build --data run.parquet --out site',
    },
    {
      description: 'two runs to compare',
      command: '<%= config.bin %> dash build --data a.parquet b.parquet --out site',
    },
    {
      description: 'one file to send',
      command: '<%= config.bin %> dash build --data run.parquet --single-file --out run.html',
    },
  ];

  static override flags = {
    data: Flags.string({
      description: 'run files, folders of runs, or folders of sweeps',
      helpValue: 'FILE',
      multiple: true,
      required: true,
    }),
    out: Flags.string({
      description:
        'folder to write; with --single-file the HTML file (a name in .html), or a folder ' +
        'that is there, for its index.html',
      helpValue: 'DIR',
      required: true,
    }),
    'single-file': Flags.boolean({ description: 'one HTML file with the data inside' }),
    force: Flags.boolean({ description: 'replace what is there, whatever it is but the data' }),
    quiet: Flags.boolean({ char: 'q', description: 'say nothing but errors' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(DashBuild);
    const { buildDash } = await import('../../dash-build/build-dash.ts');
    const written = await buildDash({
      data: flags.data,
      out: flags.out,
      singleFile: flags['single-file'],
      force: flags.force,
    });
    if (!flags.quiet) process.stderr.write(`wrote ${written}\n`);
  }
}
