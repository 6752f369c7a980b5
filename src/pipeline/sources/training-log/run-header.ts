/** What a log or a run file says of its run, besides its rows. */
export interface RunHeader {
  readonly eta?: number;
  readonly optimizer?: string;
  readonly beta?: number;
  readonly weightDecay?: number;
  readonly dampening?: number;
}

/** Reads the parameters of a run as our own files have them; passes over what is of another kind. */
export function runHeader(values: Readonly<Record<string, unknown>>): RunHeader {
  const number = (...names: string[]): number | undefined => {
    const found = names.map((name) => values[name]).find((value) => typeof value === 'number');
    return Number.isFinite(found) ? (found as number) : undefined;
  };
  const eta = number('eta', 'lr');
  const beta = number('beta', 'momentum');
  const weightDecay = number('weight_decay', 'weight-decay');
  const dampening = number('dampening');
  return {
    ...(eta !== undefined && eta > 0 && { eta }),
    ...(typeof values.optimizer === 'string' && { optimizer: values.optimizer }),
    ...(beta !== undefined && { beta }),
    ...(weightDecay !== undefined && { weightDecay }),
    ...(dampening !== undefined && { dampening }),
  };
}
