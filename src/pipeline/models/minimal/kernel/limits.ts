// The limits of models/minimal/descend.

/** 2^−512: below it β₁ is held with an exponent of its own. */
export const TINY: f64 = 7.458340731200207e-155;
export const HUGE: f64 = 1.3407807929942597e154;
/** Squares below this have lost digits to underflow. */
export const LEAST_SQUARES: f64 = 1.026342204420414e-289;
export const DIVERGENCE_LOSS: f64 = 1e12;
