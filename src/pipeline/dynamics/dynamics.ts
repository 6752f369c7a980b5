import { centralFlow } from './central.ts';
import { constrainedTrajectory } from './constrained.ts';
import { gradientFlow } from './gradient-flow.ts';
import type { DynamicsName, TrajectorySource } from './trajectory.ts';

/** Every dynamics that can stand beside gradient descent, by its name: a new one is one new file and one line here. */
export const dynamics: Readonly<Record<DynamicsName, TrajectorySource>> = {
  'gradient-flow': gradientFlow,
  constrained: constrainedTrajectory,
  central: centralFlow,
};

export const DYNAMICS_NAMES = Object.keys(dynamics) as DynamicsName[];
