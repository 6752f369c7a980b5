import { RUN_COLUMNS } from '../../models/minimal/columns.ts';
import { type RunConfig, type RunOptions, resolveConfig } from '../../models/minimal/config.ts';
import { minimal } from '../../models/minimal/index.ts';
import { SHOWN_PRESETS } from '../../models/minimal/presets/shown.ts';
import { runParameters } from '../../models/minimal/run-parameters.ts';
import type { Training, TrainingBatch, TrainingRows } from './training.ts';

/** The minimal network: its phases follow exact rules. */
export const minimalTraining: Training = {
  model: minimal.name,
  about: minimal.about,
  phases: 'exact',
  parameters: runParameters,
  presets: SHOWN_PRESETS.map((shown) => shown()),
  async open() {
    const [
      { besideOperators, besideSchema, runSchema, standardOperators },
      { phaseLogLink },
      { compiledDescent },
      { gradientDescent },
      { SOURCE_COLUMNS },
      { linkOf, neededLinks, storedLinks, throughLinks },
      { thinLinks },
      { trajectory },
    ] = await Promise.all([
      import('../../operators/standard.ts'),
      import('../../sinks/phase-log.ts'),
      import('../descent/compiled-descent.ts'),
      import('../descent/gradient-descent.ts'),
      import('../descent/stepper.ts'),
      import('../../core/stored-pipeline.ts'),
      import('../../operators/thin.ts'),
      import('../trajectory.ts'),
    ]);
    return {
      resolve: (options) => resolveConfig(options as RunOptions),
      schema: runSchema,
      work: (config) => stepWork(config as RunConfig),
      rows: (config, options, reuse) =>
        (reuse ? compiledDescent : gradientDescent)(
          config as RunOptions,
          options,
        ) as unknown as TrainingRows,
      pipeline({ columns }, report, stored) {
        const log = phaseLogLink(report);
        const links = [...standardOperators().map(linkOf), log];
        if (!stored) {
          if (!columns) return throughLinks(links);
          // What is added to the model may have a part in the summary: it is always there.
          const own: readonly string[] = RUN_COLUMNS.map(({ name }) => name);
          const further = runSchema().flatMap(({ name }) => (own.includes(name) ? [] : [name]));
          return throughLinks(neededLinks(links, [...columns, ...further]));
        }
        const given = SOURCE_COLUMNS.map(({ name }) => name);
        const thins = thinLinks(stored.stages);
        const chain = storedLinks(stored, given, [...links, ...thins]);
        const there = new Set([...given, ...chain.flatMap(({ adds }) => adds)]);
        // Where nobody told of the phases, they are told from here on, and the file stays as it
        // would have been.
        const tells =
          !chain.includes(log) && thins.length === 0 && log.needs.every((name) => there.has(name));
        return throughLinks(tells ? [...chain, phaseLogLink(report, false)] : chain);
      },
      beside: {
        schema: besideSchema,
        rows: (dynamics, config, options) =>
          throughLinks<TrainingBatch>(besideOperators().map(linkOf))(
            trajectory(dynamics, config as RunOptions, options) as unknown as TrainingRows,
          ),
      },
    };
  },
};

/** Bits that `auto` comes to, at most, on most runs. */
const AUTO_BITS = 1024;

function stepWork({ precision }: RunConfig): number {
  if (precision === 'float64') return 1;
  const bits = precision === 'auto' ? AUTO_BITS : Number(precision);
  return 4 * (bits / 64) * Math.sqrt(bits / 64);
}
