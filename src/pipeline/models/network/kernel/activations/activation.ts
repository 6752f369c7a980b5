import { geluLayer } from './gelu';
import { linearLayer } from './linear';
import { reluLayer } from './relu';
import { siluLayer } from './silu';
import { tanhLayer } from './tanh';

/**
 * An activation over a layer, two entries at a time: z becomes the activation of z, `slope` its
 * first and `bend` its second derivative.
 */
export type Activation = (z: usize, slope: usize, bend: usize, bytes: usize) => void;

/** In the order of their names in ../../activations.ts; the build adds a new file to both. */
export const ACTIVATIONS: Activation[] = [tanhLayer, reluLayer, geluLayer, siluLayer, linearLayer];
