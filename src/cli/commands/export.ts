import type { ParameterTable } from '../../pipeline/core/parameters.ts';
import { UsageError } from '../errors.ts';
import { EXPORT_FORMATS } from '../export/encode.ts';
import { Args, Command, Flags } from '../oclif.ts';
import { flagsOf, settledOf } from '../parameter-flags.ts';

const MOST = Number.MAX_SAFE_INTEGER;

const parameters = {
  from: {
    type: 'integer',
    minimum: 0,
    maximum: MOST,
    symbol: 'STEP',
    meaning: 'first step to write (row, in a table without steps)',
    group: 'OUTPUT',
    default: 0,
    variable: false,
  },
  to: {
    type: 'integer',
    minimum: 0,
    maximum: MOST,
    symbol: 'STEP',
    meaning: 'last step to write',
    group: 'OUTPUT',
    variable: false,
  },
  every: {
    type: 'integer',
    minimum: 1,
    maximum: MOST,
    symbol: 'K',
    meaning: 'write each K-th of these rows',
    group: 'OUTPUT',
    default: 1,
    variable: false,
  },
  columns: {
    type: 'text',
    noun: 'a list of columns',
    symbol: 'A,B,C',
    meaning: 'columns to write, in this order; all unless given',
    group: 'OUTPUT',
    variable: false,
  },
  out: {
    type: 'text',
    noun: 'the name of a file',
    symbol: 'FILE',
    meaning: 'file to write; standard output unless given',
    group: 'OUTPUT',
    variable: false,
  },
  force: {
    type: 'boolean',
    meaning: 'replace an existing file',
    group: 'OUTPUT',
    default: false,
    variable: false,
  },
} as const satisfies ParameterTable;

export default class Export extends Command {
  static override summary = 'Write rows of a run file as CSV, JSON or an Arrow stream';

  static override description =
    'Reads a Parquet or Arrow file, of eos or of another program, and writes its rows to ' +
    'standard output or to --out. Numbers are written in the fewest digits that read back the ' +
    'same. What was not measured is empty in CSV and null in JSON; JSON has no number for NaN ' +
    'and ±Infinity, which are null there.';

  static override examples = [
    {
      description: 'two columns of each hundredth step, for a spreadsheet',
      command:
        '<%= config.bin %> export run.parquet --csv --columns step,sharpness --every 100 ' +
        '--out run.csv',
    },
    {
      description: 'the steps around a peak, for jq',
      command: '<%= config.bin %> export run.parquet --ndjson --from 2000 --to 2100 | jq .loss',
    },
    {
      description: 'into another program, without a file',
      command:
        '<%= config.bin %> export run.parquet --arrow | python -c "import sys, pyarrow as pa; ' +
        'print(pa.ipc.open_stream(sys.stdin.buffer).read_pandas())"',
    },
  ];

  static override args = {
    file: Args.string({ description: 'Parquet or Arrow file', required: true }),
  };

  static override flags = {
    csv: Flags.boolean({ description: 'comma-separated values, with a line of names' }),
    json: Flags.boolean({ description: 'one JSON array of objects' }),
    ndjson: Flags.boolean({ description: 'one JSON object a line' }),
    arrow: Flags.boolean({ description: 'an Arrow IPC stream' }),
    ...flagsOf(parameters),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Export);
    const { from, to, every, columns, out, force } = settledOf(parameters, flags);
    const formats = EXPORT_FORMATS.filter((name) => flags[name]);
    if (formats.length > 1)
      throw new UsageError(`--${formats[1]}: does not go with --${formats[0]}; give one of them`);
    const { exportTable } = await import('../export/export-table.ts');
    await exportTable({
      file: args.file,
      format: formats[0],
      columns: columns?.split(',').map((name) => name.trim()),
      from,
      to: to ?? MOST,
      every,
      out,
      force,
    });
  }
}
