import { LAB_TABLES } from '../../dash/lab/lab-parameters.ts';
import { trainingParameters } from '../../pipeline/sources/trainings/index.ts';
import { Command, Flags } from '../oclif.ts';
import { flagsOf } from '../parameter-flags.ts';
import { portOf } from '../port.ts';

/** All that can be said of a run of the lab, of whichever model. */
const parameters = Object.fromEntries(
  Object.entries(trainingParameters).filter(([name]) =>
    LAB_TABLES.some((table) => name in table.parameters),
  ),
);

export default class Lab extends Command {
  static override summary = 'Play with gradient descent in the browser: change η while it runs';

  static override description =
    'Opens the dashboard with the lab: the pipeline of this command line computes in the ' +
    'page, to the same digits. Play, pause, go from spike to spike, change the learning rate ' +
    'under way, take it back, and let a second run go on from any step with another. A tour ' +
    'of seven stops, behind the button Tour, shows what happens and why. Nothing leaves this ' +
    'computer. The page of eos dash build has the lab too.';

  static override examples = [
    { description: 'the default run', command: '<%= config.bin %> lab' },
    {
      description: 'another start, without a browser being opened',
      command: '<%= config.bin %> lab --preset three-phases --eta 1/12 --no-open',
    },
  ];

  static override flags = {
    model: Flags.string({
      description: 'what is trained',
      options: LAB_TABLES.map(({ model }) => model),
      helpGroup: 'MODEL',
    }),
    ...flagsOf(parameters),
    port: Flags.string({
      description: 'port to listen on; the next free from 7333 on unless given',
      helpValue: 'N',
    }),
    open: Flags.boolean({
      description: 'open the page in the browser',
      default: true,
      allowNo: true,
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(Lab);
    const { serveDash } = await import('../dash-server/serve.ts');
    const { labModel } = await import('../../dash/lab/lab-models.ts');
    const { writeLab } = await import('../../dash/lab/lab-link.ts');

    const said = Object.fromEntries(
      Object.entries(flags).flatMap(([name, value]) =>
        (name === 'model' || name in parameters) && value !== undefined
          ? [[name, String(value)]]
          : [],
      ),
    );
    labModel(said).resolve(said);
    process.exitCode = await serveDash({
      files: [],
      open: flags.open,
      query: `lab=${writeLab([{ recipe: { options: said, changes: [] }, to: 0 }])}`,
      ...(flags.port === undefined ? {} : { port: portOf(flags.port) }),
    });
  }
}
