import { central } from './central.ts';
import { constrained } from './constrained.ts';
import type { Dynamics } from './dynamics.ts';
import { edge } from './edge.ts';
import { gradientFlow } from './gradient-flow.ts';

/**
 * Every dynamics that can stand beside gradient descent: a new one is one new file, which the build
 * adds here.
 */
export const dynamics: readonly Dynamics[] = [gradientFlow, constrained, central, edge];

/** The dynamics of this name; undefined where there is none. */
export function findDynamics(name: string): Dynamics | undefined {
  return dynamics.find((each) => each.name === name);
}
