import { gd } from './gd.ts';
import { momentum } from './momentum.ts';
import { nesterov } from './nesterov.ts';
import type { Optimizer } from './optimizer.ts';

/**
 * The optimizers under which the sharpness is that of the plain Hessian: a new one is one new file,
 * which the build adds here.
 */
export const plainOptimizers: readonly Optimizer[] = [gd, momentum, nesterov];
