import type { CompiledOperator, Stability } from '../../core/run.ts';
import { arraysOf, type ColumnArray, reusedArrays } from '../../core/schema.ts';
import type { RowSource } from '../../core/source.ts';
import type { SourceOptions } from '../../core/source-options.ts';
import type { StateReader } from '../../core/stored-state.ts';
import { POINT_COLUMNS, runColumns } from '../../models/minimal/columns.ts';
import type { RunConfig } from '../../models/minimal/config.ts';
import type { DescentState } from '../../models/minimal/descend.ts';
import type { ModelRun, SourceArrays } from '../../models/minimal/run.ts';

export interface DescentOptions extends SourceOptions {
  /** Start from here instead of from `init`; for runs in float64. */
  readonly from?: DescentState;
}

/** How the rows of a run begin. */
export interface RowOptions {
  /** The state of the source from which a resumed run goes on. */
  readonly saved?: StateReader | undefined;
  /** Whether the arrays of a batch are used again for the next one. */
  readonly reuse?: boolean;
}

export const SOURCE_COLUMNS = [...POINT_COLUMNS, ...runColumns('digits')] as const;

/** The arithmetic of a run: computes its rows in order, and can be stored between two blocks. */
export interface Stepper {
  readonly step: number;
  readonly divergedAt: number | null;
  readonly float64ZeroAt: number | null;
  readonly bits: number | null;
  /**
   * Where rows that are there already are computed once more with more bits: the step that has been
   * reached.
   */
  readonly again?: number | null;
  /**
   * Fills up to so many rows, and returns how many it has; none where it is still busy with the
   * next one.
   */
  next(count: number, columns: SourceArrays): number;
  /** Where it stands; made only where it is written. */
  state(): () => Readonly<Record<string, unknown>>;
  /** Rows that it makes at once, at most, and the arrays that it puts them into. */
  readonly rows?: number;
  readonly pool?: Map<string, ColumnArray>;
  /** Its own way to the columns of the operator of this name, to the same bits. */
  compiled?(
    operator: string,
    config: RunConfig,
    stability: Stability,
  ): CompiledOperator | undefined;
}

/** Starts the arithmetic of a run, or puts it where a checkpoint stands. */
export type StartStepper = (config: RunConfig, saved: StateReader | undefined) => Stepper;

/** The rows of a run from step 0, or from where a checkpoint stands. */
export function rowsOf(
  run: ModelRun,
  startStepper: StartStepper,
  { saved, reuse = false }: RowOptions = {},
): RowSource<SourceArrays, ModelRun> {
  const { config } = run;
  const labels = labelsOf(config, saved);
  const stepper = startStepper({ ...config, ...labels }, saved);
  const asTold = () => run.config.delta === labels.delta && run.config.band === labels.band;
  run.metadata = () => (asTold() ? {} : { [SOURCE_KEY]: JSON.stringify(labels) });
  const follow = () => {
    const { divergedAt, float64ZeroAt, bits, again = null } = stepper;
    Object.assign(run, { divergedAt, float64ZeroAt, bits, again });
  };
  follow();
  if (reuse) run.arrays = reusedArrays(stepper.pool);
  if (stepper.compiled)
    run.compiled = (operator) => stepper.compiled!(operator, run.config, run.stability);
  const ended = () => run.divergedAt !== null || stepper.step > config.steps;
  return {
    run,
    get step() {
      return stepper.step;
    },
    get ended() {
      return ended();
    },
    next(size, into) {
      // A resumed run may have nothing left to compute but its end.
      const { rows = size } = stepper;
      const capacity = ended() ? 0 : Math.min(size, rows, config.steps - stepper.step + 1);
      const columns =
        (into as SourceArrays | undefined) ?? (run.arrays ?? arraysOf)(SOURCE_COLUMNS, capacity);
      const length = capacity > 0 ? stepper.next(capacity, columns) : 0;
      follow();
      const stored = stepper.state();
      const state = () => ({ ...stored(), ...labels });
      return {
        run,
        length,
        schema: SOURCE_COLUMNS,
        columns,
        after: { [STAGE]: { state } },
      };
    },
  };
}

/** Name of the source among the stages of a checkpoint. */
export const STAGE = 'gradientDescent';

/** Key of what the source of a run was told, where its operators were told otherwise. */
export const SOURCE_KEY = 'eos.source';

/**
 * What decides the labels that `digits` look at. Operators may have been told otherwise, which is
 * then what the file says of the run; it goes on with what it began with.
 */
function labelsOf({ delta, band }: RunConfig, saved: StateReader | undefined) {
  return saved?.raw('delta') === undefined
    ? { delta, band }
    : { delta: saved.number('delta'), band: saved.number('band') };
}
