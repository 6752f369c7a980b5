import { base64Of, bytesOf } from '../../pipeline/core/base64.ts';
import type { Checkpoint } from '../../pipeline/core/checkpoint.ts';
import { stateReader } from '../../pipeline/core/stored-state.ts';
import type { RunConfig } from '../../pipeline/models/minimal/config.ts';
import { initialState, TINY, unscaled } from '../../pipeline/models/minimal/descend.ts';
import type { Theta } from '../../pipeline/models/minimal/loss.ts';
import { optimizerOf } from '../../pipeline/optimizers/index.ts';

const MINIMAL = 'gradientDescent';
const NETWORK = 'networkDescent';

/** Where a run of the minimal model stands, and its shadow, whichever its optimizer. */
interface Standing {
  readonly step: number;
  readonly own: Theta & { readonly residual: number };
  readonly shadow: Theta & { readonly residual: number };
  readonly agreed: number;
}

function standing({ stages }: Checkpoint): Standing {
  const saved = stateReader(MINIMAL, stages[MINIMAL]);
  const step = saved.number('step');
  const agreed = saved.number('agreed');
  const { mantissa } = stages[MINIMAL] as { readonly mantissa?: unknown };
  if (mantissa === undefined) {
    const [own, shadow] = ['own', 'shadow'].map((key) => {
      const [alpha, beta1, beta2] = saved.record(key).numbers('theta') as [number, number, number];
      return { alpha, beta1, beta2, residual: saved.record(key).number('residual') };
    });
    return { step, agreed, own: own!, shadow: shadow! };
  }
  const exponent = saved.number('exponent');
  const point = (alpha: string, beta1: string, beta2: string) => ({
    alpha: saved.number(alpha),
    beta1: unscaled(saved.number(beta1), exponent),
    beta2: saved.number(beta2),
  });
  const shadow = point('shadowAlpha', 'shadowMantissa', 'shadowBeta2');
  return {
    step,
    agreed,
    own: { ...point('alpha', 'mantissa', 'beta2'), residual: saved.number('residual') },
    shadow: { ...shadow, residual: shadow.alpha * shadow.beta2 - 1 },
  };
}

/** θ of the row that a run of the minimal model computes next, and its step. */
export function nextPoint(checkpoint: Checkpoint): {
  readonly step: number;
  readonly theta: Theta;
} {
  const { step, own } = standing(checkpoint);
  return { step, theta: own };
}

/** The same of a network. */
export function nextWeights({ stages }: Checkpoint): {
  readonly step: number;
  readonly theta: Float64Array;
} {
  const saved = stateReader(NETWORK, stages[NETWORK]);
  const [weights] = saved.texts('arrays');
  return { step: saved.number('step'), theta: new Float64Array(bytesOf(weights!).buffer) };
}

/**
 * The checkpoint from which a run of the minimal model goes on at the same θ under another
 * optimizer, whose velocity begins at 0.
 */
export function minimalUnder(config: RunConfig, checkpoint: Checkpoint): Checkpoint {
  const { step, own, shadow, agreed } = standing(checkpoint);
  const { slots, name } = optimizerOf(config);
  const point = ({ alpha, beta1, beta2, residual }: Standing['own']) => ({
    theta: [alpha, beta1, beta2],
    slots: Array.from({ length: slots }, () => ({ values: [0, 0, 0] })),
    residual,
  });
  return withStage(checkpoint, MINIMAL, name === 'gd' ? plain() : others());

  function others() {
    return { step, divergedAt: null, agreed, own: point(own), shadow: point(shadow) };
  }

  function plain() {
    const init = [own.alpha, own.beta1, own.beta2] as const;
    const state = initialState({ ...config, init });
    return {
      ...state,
      step,
      residual: own.residual,
      shadowAlpha: shadow.alpha,
      shadowMantissa: state.exponent === 0 ? shadow.beta1 : shadow.beta1 / TINY,
      shadowBeta2: shadow.beta2,
      agreed,
      told: agreed,
    };
  }
}

/** The same of a network: its moments begin at 0, and their bias is corrected from here on. */
export function networkUnder(config: object, checkpoint: Checkpoint): Checkpoint {
  const saved = stateReader(NETWORK, checkpoint.stages[NETWORK]);
  const [weights, vectors] = saved.texts('arrays');
  const zeros = base64Of(new Float64Array(bytesOf(weights!).byteLength / 8));
  return withStage(checkpoint, NETWORK, {
    ...(checkpoint.stages[NETWORK] as object),
    arrays: [weights, vectors, ...Array.from({ length: optimizerOf(config).slots }, () => zeros)],
    since: saved.number('step'),
  });
}

const withStage = (checkpoint: Checkpoint, stage: string, state: object): Checkpoint => ({
  ...checkpoint,
  stages: { ...checkpoint.stages, [stage]: state },
});
