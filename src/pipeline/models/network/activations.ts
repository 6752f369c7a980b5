/** Activations by their place in the kernel's list. */
export const ACTIVATIONS = ['tanh', 'relu', 'gelu', 'silu', 'linear'] as const;
export type Activation = (typeof ACTIVATIONS)[number];
