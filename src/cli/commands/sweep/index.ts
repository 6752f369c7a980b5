import { networkParameters } from '../../../pipeline/models/network/parameters.ts';
import { UsageError } from '../../errors.ts';
import { Command, Flags } from '../../oclif.ts';
import { checkSwitches, flagsOf, settledOf } from '../../parameter-flags.ts';
import { logParameters } from '../../stream-parameters.ts';
import { gridParameters, sweepOptions } from '../../sweep/grid.ts';
import { sweepParameters } from '../../sweep/parameters.ts';

/** Threads of a task of a job file, which does not run on this machine. */
const TASK_THREADS = 4;

export default class Sweep extends Command {
  static override summary =
    'Run gradient descent over grids of parameters and keep a table of what became of each run';

  static override description =
    `Each parameter takes a number (0.05, 1/20), a list (0.01,0.02), a range with both ends in \
equal steps (0:1:11) or equal ratios (0.01:0.5:log:60), or whole numbers (0..99); the sweep is the \
product of all of them. What is not given comes from the preset, as in eos stream.

DIR/summary becomes a Parquet dataset with one row a run: its parameters and everything in its \
eos.summary. The same command again does only what is missing. Ctrl-C keeps what is done, exit \
code 130.`;

  static override examples = [
    {
      description: 'a phase diagram',
      command:
        '<%= config.bin %> sweep --eta 0.01:0.5:log:60 --lambda2 0.001:1:log:40 --out diagram',
    },
    {
      description: 'what it would take',
      command:
        '<%= config.bin %> sweep --eta 0.01:0.5:log:60 --steps 1000000 --out diagram --dry-run',
    },
    {
      description: 'a hundred samples of the data, with trajectories',
      command:
        '<%= config.bin %> sweep --samples 200 --seeds 0..99 --trajectories every:10 --out seeds',
    },
    {
      description: 'the third of four shards, without a queue',
      command: '<%= config.bin %> sweep --spec sweep.json --out diagram --shard 2/4',
    },
    {
      description: 'by the machines of a cluster',
      command:
        '<%= config.bin %> sweep --spec sweep.json --out /shared/diagram --emit slurm > diagram.sh',
    },
    {
      description: 'by the workers of a queue',
      command:
        '<%= config.bin %> sweep --spec sweep.json --out /shared/diagram --engine redis://host',
    },
  ];

  static override flags = {
    ...flagsOf({ ...gridParameters, ...sweepParameters, ...logParameters }),
    spec: Flags.string({
      description: 'JSON file with the names of these flags',
      helpValue: 'FILE',
      helpGroup: 'RUN',
    }),
  };

  async run(): Promise<void> {
    checkSwitches({ ...sweepParameters, ...logParameters });
    const { flags } = await this.parse(Sweep, withSwitches(this.argv));
    const settled = settledOf({ ...sweepParameters, ...logParameters }, flags);
    const { out, engine, shard, detach, extend, emit, tasks, yes, quiet } = settled;
    const share = shareOf(shard);
    if (engine !== 'embedded' && shard !== undefined) {
      throw new UsageError(
        '--shard: a queue hands out the work itself; give --shard or --engine redis://…, not both',
      );
    }
    if (engine === 'embedded' && detach) {
      throw new UsageError(
        '--detach: only a queue can be left to itself; give --engine redis://host too',
      );
    }
    if (out === undefined && !settled['dry-run'])
      throw new UsageError('--out: no folder was named; give --out DIR');
    if (tasks !== undefined && emit === undefined)
      throw new UsageError('--tasks: only job files have tasks; give --emit SCHEDULER too');
    if (emit !== undefined) {
      if (out === undefined) throw new UsageError('--out: no folder was named; give --out DIR');
      if (engine !== 'embedded' || shard !== undefined)
        throw new UsageError(
          `--emit: the job file shares the work itself; leave out --shard and --engine`,
        );
      const { emitJob } = await import('../../sweep/emit.ts');
      const options = await sweepOptions(flags);
      const threads = settled.threads ?? TASK_THREADS;
      process.exitCode = await emitJob({ scheduler: emit, options, out, extend, threads, tasks });
      return;
    }
    const { availableParallelism } = await import('node:os');
    const request = {
      options: await sweepOptions(flags),
      threads: settled.threads ?? availableParallelism(),
      share,
      extend,
      logFormat: settled['log-format'],
    };
    if (settled['dry-run'] || out === undefined) {
      const { dryRun } = await import('../../sweep/dry-run.ts');
      process.exitCode = await dryRun({ ...request, out });
      return;
    }
    const { sweepRun } = await import('../../sweep/sweep-run.ts');
    process.exitCode = await sweepRun({
      ...request,
      out,
      engine: settled,
      confirmed: yes,
      detach,
      quiet,
    });
  }
}

/** `i/n` of `--shard`: counted from 0, as array jobs count. */
function shareOf(text: string | undefined): readonly [number, number] {
  if (text === undefined) return [0, 1];
  const match = /^(\d+)\/(\d+)$/.exec(text);
  const [index, of] = [Number(match?.[1]), Number(match?.[2])];
  if (match && of >= 1 && index < of) return [index, of];
  throw new UsageError(
    `--shard: '${text}' is not i/n with 0 ≤ i < n; of four shards the first is 0/4, the last 3/4`,
  );
}

/** A switch of a run, such as `--raw`, may stand alone here too. */
function withSwitches(words: readonly string[]): string[] {
  return words.map((word, i) => {
    const alone = SWITCHES.includes(word) && (words[i + 1] ?? '-').startsWith('-');
    return alone ? `${word}=yes` : word;
  });
}

const SWITCHES: readonly string[] = Object.entries(networkParameters).flatMap(([name, { type }]) =>
  type === 'boolean' ? [`--${name}`] : [],
);
