import { Args, Command, Flags } from '../../oclif.ts';
import { portOf } from '../../port.ts';

export default class DashServe extends Command {
  static override summary =
    'Open the dashboard on this computer and follow runs while they are written';

  static override description =
    `Serves the dashboard and the named runs on 127.0.0.1. A run that is still being written is \
shown as it grows; new rows appear within two seconds. Without a file it shows the sample run; run \
files can also be dropped on the page.

Any other address than this computer's own is served only with --host, and then only to those who \
have the token.`;

  static override examples = [
    {
      description: 'a run, finished or still being written',
      command: '<%= config.bin %> dash serve run.parquet',
    },
    { description: 'all runs of a folder', command: '<%= config.bin %> dash serve runs/' },
    {
      description: 'in a frame of a notebook, through its proxy',
      command:
        '<%= config.bin %> dash serve runs/ --allow-host lab.example.org --allow-frame ' +
        'https://lab.example.org',
    },
    {
      description: 'for others on the network',
      command: '<%= config.bin %> dash serve run.parquet --host 0.0.0.0',
    },
  ];

  static override strict = false;

  static override args = {
    files: Args.string({
      name: 'FILE',
      description: 'run files (.parquet, .arrow), folders of runs, or the folder of a sweep',
      required: false,
    }),
  };

  static override flags = {
    host: Flags.string({
      description: 'address to listen on; 127.0.0.1 unless given, any other needs a token',
      helpValue: 'ADDRESS',
    }),
    port: Flags.string({
      description: 'port to listen on; the next free from 7333 on unless given',
      helpValue: 'N',
    }),
    open: Flags.boolean({ description: 'open the page in the browser' }),
    token: Flags.string({
      description:
        'token that every visitor must have; a random one unless given, where one is needed',
      helpValue: 'TOKEN',
      env: 'EOS_DASH_TOKEN',
    }),
    'allow-host': Flags.string({
      description: 'further name under which the page is reached, such as that of a proxy',
      helpValue: 'NAME',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'allow-frame': Flags.string({
      description: 'origin of pages that may show this one in a frame, such as a notebook',
      helpValue: 'ORIGIN',
      multiple: true,
      multipleNonGreedy: true,
    }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(DashServe);
    const { serveDash } = await import('../../dash-server/serve.ts');
    process.exitCode = await serveDash({
      files: argv.map(String),
      open: flags.open,
      ...(flags.host === undefined ? {} : { host: flags.host }),
      ...(flags.port === undefined ? {} : { port: portOf(flags.port) }),
      ...(flags.token === undefined ? {} : { token: flags.token }),
      allowHosts: flags['allow-host'] ?? [],
      allowFrames: flags['allow-frame'] ?? [],
    });
  }
}
