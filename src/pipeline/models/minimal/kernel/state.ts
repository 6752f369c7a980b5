// The numbers of the run that is taken.

/** The state of a run, in the order of its fields, and behind it what does not change. */
@unmanaged
export class Run {
  step: f64;
  alpha: f64;
  mantissa: f64;
  exponent: f64;
  beta2: f64;
  residual: f64;
  plainBeta1: f64;
  divergedAt: f64;
  float64ZeroAt: f64;
  shadowAlpha: f64;
  shadowMantissa: f64;
  shadowBeta2: f64;
  agreed: f64;
  told: f64;
  moves: f64;
  blind: f64;
  eta: f64;
  floor: f64;
  lambda1: f64;
  lambda2: f64;
  covariance: f64;
  steps: f64;
  edge: f64;
  doubtful: f64;
}

const RUN: usize = memory.data(8 * 24, 16);

/** Where the numbers of the run are. */
export function numbers(): usize {
  return RUN;
}

export function theRun(): Run {
  return changetype<Run>(RUN);
}
