import { UsageError } from '../errors.ts';
import { Args, Command, Flags } from '../oclif.ts';
import { reading } from '../reader/reading.ts';

export default class Detect extends Command {
  static override summary =
    'Detect the phases of the edge of stability in the training log of any network';

  static override description =
    `Reads losses and sharpness values that were logged while a network was trained, tells when \
its sharpness reached the threshold of its optimizer, how often it spiked and whether it settled, \
and writes the same kind of file as stream.

The log is CSV, TSV, NDJSON, JSON, lines of text, Parquet, Arrow, NumPy or TensorBoard's (text \
also gzipped), guessed by its content; - is standard input, read live. Columns are found by their \
usual names. Sharpness may be there for some rows only, or for none. Lines that cannot be used are \
left out, counted and told; a log that makes no sense is refused with the number of the line.`;

  static override examples = [
    {
      description: 'when did it reach the edge?',
      command: '<%= config.bin %> detect train.csv --eta 0.01',
    },
    {
      description: 'live, from a training script',
      command: 'python train.py | <%= config.bin %> detect - --eta 0.01 --out run.parquet',
    },
    {
      description: 'watch a log that is being written',
      command: '<%= config.bin %> detect train.ndjson --follow --eta 0.01 --out run.parquet',
    },
    {
      description: 'a nested value, heavy-ball momentum, a schedule of the learning rate',
      command:
        "<%= config.bin %> detect train.ndjson --sharpness-col 'hessian.eigs[-1]' --momentum " +
        '0.9 --eta 0:0.1,1000:0.01',
    },
    {
      description: 'Adam, with the sharpness of the preconditioned Hessian',
      command: '<%= config.bin %> detect train.csv --optimizer adam --eta 1e-4',
    },
  ];

  /** Further files may follow the first. */
  static override strict = false;

  static override args = {
    log: Args.string({
      description: 'log file, or - for standard input; further files are joined on the step',
      required: true,
    }),
  };

  static override flags = {
    eta: text(
      'learning rate, such as 0.01 or 1/50; a schedule such as 0:0.1,1000:0.01; or a file with one',
      'η',
      'LOG',
    ),
    'eta-col': text('column of the learning rate', 'NAME', 'COLUMNS'),
    'step-col': text(
      'column of the step, by name, by number from 1, or none to number the rows',
      'NAME',
      'COLUMNS',
    ),
    'loss-col': text(
      'column of the loss; in JSON also a path such as metrics.loss',
      'NAME',
      'COLUMNS',
    ),
    'sharpness-col': text(
      'column of the sharpness; in JSON also a path such as eigenvalues[-1]; of a list the largest',
      'NAME',
      'COLUMNS',
    ),
    format: text(
      'csv, tsv, ndjson, json, text, parquet, arrow, npy, npz or tfevents, where the guess is ' +
        'wrong',
      'FORMAT',
      'LOG',
    ),
    pattern: text(
      'regular expression for lines of text, with groups (?<step>…), (?<loss>…), ' +
        '(?<sharpness>…), (?<eta>…)',
      'REGEX',
      'LOG',
    ),
    stride: text('steps between rows that do not say their step [1]', 'K', 'LOG'),
    run: text('which of several runs in the log, from 1', 'N', 'LOG'),
    follow: Flags.boolean({
      char: 'f',
      description: 'go on as the file grows, until Ctrl-C',
      helpGroup: 'LOG',
    }),
    optimizer: text(
      'whose threshold: gd 2/η, momentum (2 + 2β)/η, nesterov (2 + 2β)/((1 + 2β)η), rmsprop ' +
        '2/η, adam (2 + 2β₁)/((1 − β₁)η), adamw, sgd (with batches) [gd]',
      'NAME',
      'THRESHOLD',
    ),
    momentum: text(
      'β of momentum or Nesterov, β₁ of Adam; alone it means --optimizer momentum',
      'β',
      'THRESHOLD',
    ),
    dampening: text('dampening of momentum, as PyTorch has it; β for an average', 'D', 'THRESHOLD'),
    'weight-decay': text('λ of an L₂ term in the gradient, or of AdamW', 'λ', 'THRESHOLD'),
    threshold: text(
      'the threshold itself, of eta, beta and lambda, such as 2/eta',
      'EXPR',
      'THRESHOLD',
    ),
    nesterov: Flags.boolean({
      description: 'the same as --optimizer nesterov',
      helpGroup: 'THRESHOLD',
    }),
    band: text(
      'half-width of the regime edge, and of what starts over the threshold [0.05]',
      'B',
      'DETECTOR',
    ),
    delta: text(
      'sharpness up to (1 + δ/2) × threshold still counts as settled [0.01]',
      'δ',
      'DETECTOR',
    ),
    'false-alarms': text(
      'share of logs without an edge in which one may be found [0.05]',
      'α',
      'DETECTOR',
    ),
    'noise-floor': text('least noise assumed on sharpness over threshold [1e-4]', 'σ', 'DETECTOR'),
    divergence: text('a loss so many times the first one has diverged [1e6]', 'X', 'DETECTOR'),
    out: text('Parquet file to write', 'FILE.parquet', 'OUTPUT'),
    arrow: text('Arrow IPC file to write', 'FILE.arrow', 'OUTPUT'),
    'flush-every': text(
      'seconds after which rows are safe from a crash [1]; 0 for at once',
      'SECONDS',
      'OUTPUT',
    ),
    force: Flags.boolean({
      description: 'replace existing files whatever they are',
      helpGroup: 'OUTPUT',
    }),
    'log-format': text(
      'text (default, on stderr) or json (one object a line, on stdout)',
      'FORMAT',
      'OUTPUT',
    ),
    quiet: Flags.boolean({ char: 'q', description: 'say nothing but errors', helpGroup: 'OUTPUT' }),
  };

  async run(): Promise<void> {
    const { args, argv, flags } = await this.parse(Detect);
    reading().prepareLog?.([args.log]);
    const { detectRun } = await import('../detect-run.ts');
    const { number, whole } = await numbers();
    const nesterov = flags.nesterov ? 'nesterov' : undefined;
    if (nesterov && flags.optimizer !== undefined && flags.optimizer !== nesterov) {
      throw new UsageError(
        `--nesterov: does not go with --optimizer ${flags.optimizer}; give one of the two`,
      );
    }
    process.exitCode = await detectRun({
      log: args.log,
      others: argv.slice(1).map(String),
      eta: flags.eta,
      columns: {
        step: flags['step-col'],
        loss: flags['loss-col'],
        sharpness: flags['sharpness-col'],
        eta: flags['eta-col'],
      },
      format: flags.format,
      stride: whole('stride', flags.stride, 1),
      run: whole('run', flags.run, 1),
      follow: flags.follow === true,
      optimizer: flags.optimizer ?? nesterov,
      beta: number('momentum', flags.momentum, true),
      dampening: number('dampening', flags.dampening, true),
      weightDecay: number('weight-decay', flags['weight-decay'], true),
      threshold: flags.threshold,
      pattern: flags.pattern,
      band: number('band', flags.band, true),
      detector: {
        delta: number('delta', flags.delta),
        falseAlarms: number('false-alarms', flags['false-alarms']),
        noiseFloor: number('noise-floor', flags['noise-floor']),
        divergence: number('divergence', flags.divergence),
        band: number('band', flags.band, true),
      },
      out: flags.out,
      arrow: flags.arrow,
      flushEvery: 1000 * (number('flush-every', flags['flush-every'], true) ?? 1),
      force: flags.force === true,
      logFormat: formatOf(flags['log-format']),
      quiet: flags.quiet === true,
    });
  }
}

function text(description: string, helpValue: string, helpGroup: string) {
  return Flags.string({ description, helpValue, helpGroup });
}

function formatOf(value: string | undefined): 'text' | 'json' {
  if (value === undefined || value === 'text') return 'text';
  if (value === 'json') return 'json';
  throw new UsageError(`--log-format: '${value}' is none of text, json`);
}

async function numbers() {
  const { parseNumber } = await import('../../pipeline/models/minimal/config.ts');
  return {
    number(flag: string, value: string | undefined, zero = false): number | undefined {
      if (value === undefined) return undefined;
      const number = parseNumber(value);
      if (Number.isFinite(number) && (number > 0 || (zero && number === 0))) return number;
      throw new UsageError(
        `--${flag}: '${value}' is not a ${zero ? 'number from 0 up' : 'positive number'}`,
      );
    },
    whole(flag: string, value: string | undefined, least: number): number | undefined {
      if (value === undefined) return undefined;
      const number = parseNumber(value);
      if (Number.isSafeInteger(number) && number >= least) return number;
      throw new UsageError(`--${flag}: '${value}' is not a whole number from ${least} up`);
    },
  };
}
