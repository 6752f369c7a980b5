/** The three phases that summaries and log lines speak of. */
export const COARSE_PHASES = [
  'progressive-sharpening',
  'edge-of-stability',
  'convergence',
] as const;
export type CoarsePhase = (typeof COARSE_PHASES)[number];

/** κ: how far below S∞ the sharpness may still be in convergence. */
export const KAPPA = 0.05;
