/** What a log or a run file says of its run, besides its rows. */
export interface RunHeader {
  readonly eta?: number;
  readonly optimizer?: string;
  readonly beta?: number;
  readonly weightDecay?: number;
  readonly dampening?: number;
  /** The threshold itself, as an expression of eta, beta and lambda. */
  readonly expression?: string;
  /** Whether the sharpness is that of the preconditioned Hessian. */
  readonly preconditioned?: boolean;
  readonly framework?: string;
  /** Eigenvalues that are followed. */
  readonly eigenvalues?: number;
}

/** Longest text that is taken over into a file. */
const LONGEST_TEXT = 200;

/**
 * Reads the parameters of a run as our own files have them; passes over what is of another kind.
 */
export function runHeader(values: Readonly<Record<string, unknown>>): RunHeader {
  const number = (...names: string[]): number | undefined => {
    const found = names.map((name) => values[name]).find((value) => typeof value === 'number');
    return Number.isFinite(found) ? (found as number) : undefined;
  };
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' && value.length <= LONGEST_TEXT ? value : undefined;
  };
  const betas: unknown = Array.isArray(values.betas) ? values.betas[0] : undefined;
  const eta = number('eta', 'lr', 'learning_rate');
  const beta =
    number('beta', 'beta1', 'momentum') ?? (typeof betas === 'number' ? betas : undefined);
  const weightDecay = number('weight_decay', 'weight-decay');
  const dampening = number('dampening');
  const optimizer = nameOf(text('optimizer'), beta, values.nesterov === true);
  const expression = text('threshold_expression');
  const framework = text('framework');
  const eigenvalues = number('eigenvalues');
  return {
    ...(eta !== undefined && eta > 0 && { eta }),
    ...(optimizer !== undefined && { optimizer }),
    ...(beta !== undefined && { beta }),
    ...(weightDecay !== undefined && { weightDecay }),
    ...(dampening !== undefined && { dampening }),
    ...(expression !== undefined && { expression }),
    ...(values.preconditioned === true && { preconditioned: true }),
    ...(framework !== undefined && { framework }),
    ...(eigenvalues !== undefined && { eigenvalues }),
  };
}

/** SGD of PyTorch and Keras is heavy ball or Nesterov where it has a momentum. */
function nameOf(
  optimizer: string | undefined,
  beta: number | undefined,
  nesterov: boolean,
): string | undefined {
  if (nesterov && (optimizer === undefined || /^(sgd|momentum)$/i.test(optimizer)))
    return 'nesterov';
  return beta !== undefined && beta > 0 && /^sgd$/i.test(optimizer ?? '') ? 'momentum' : optimizer;
}
