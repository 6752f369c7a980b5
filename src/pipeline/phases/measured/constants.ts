import { log } from '../../numeric/elementary.ts';

// Every number that the detector of measured series decides by; no other file of it has one.
// `constants.long.test.ts` changes each and shows which tests notice.

/**
 * Samples of the running noise scale: a median of 65 is known to 15 %, and follows a change within
 * a cycle of the edge.
 */
export const NOISE_WINDOW = 65;
/**
 * Blocks of the history, 3⁷: resolution is then 0.05–0.14 % of the run, finer than any onset is
 * asked for.
 */
export const CAPACITY = 2187;
/** Blocks that a statement on the whole of a series needs; on a part of it, half as many. */
export const LEAST_BLOCKS = 16;
/** The late part of a stretch, in which a training shows where it has come to. */
export const TAIL = 1 / 3;
/**
 * The history is looked at again when it has grown by this share: its cost then stays a constant
 * share of the reading.
 */
export const LOOK = 1 / 32;

/** Deviations that noise keeps within: 99.7 % of normal samples. */
export const NOISE = 3;
/** What is this small a share of the sharpness is no movement of it. */
export const STILL = 0.005;
/**
 * κ of rule 3 of the model: what changes by less has not changed, what jumps by more has jumped.
 */
export const KAPPA = 0.05;
/**
 * … where the row before had not changed by a fifth of it: a schedule that goes on all the time
 * does not jump.
 */
export const SUDDEN = 5;
/** A plateau this close to the threshold is at it: power iterations stop within a few percent. */
export const LEAST_BIAS = log(1.03);
/**
 * Sharpness of a part of the data, or of few iterations, is off by up to 8 %, and noise adds to it.
 */
export const MOST_BIAS = log(1.12);

/**
 * Share of steps in which the loss of a stable training rises at most; of the loss of one with
 * batches, every other does.
 */
export const RISING = 0.2;
/** A loss below this share of its first value is that of a training that is all but over. */
export const SPENT = 0.01;
/** A loss this many times its first value has blown up, where none follows. */
export const BLOWN_UP = 10;
/**
 * What lasts, or is missing, for this many times as long as what was before has taken its place.
 */
export const LONGER = 2;
/**
 * Share of the curvature of ln L that a damped swing must account for, and the swings that must
 * have been seen.
 */
export const LEAST_FIT = 0.9;
export const LEAST_SWINGS = 1.5;

/** Rows of which the loss's level is the median, so that four low ones do not make it. */
export const LEVEL_ROWS = 9;
/** Rise of the loss that is a spike: a tenth, and beyond what noise reaches in 10¹¹ rows. */
export const SPIKE_RISE = log(1.1);
export const SPIKE_NOISE = 7;
/** What rounding leaves of a loss that is zero: a square of errors of 3e-7, as of float32. */
export const ROUNDING = 1e-13;
/** Decimals that a double can have; a loss of fewer is rounded. */
export const DECIMALS = 15;

/**
 * The energy at the edge must explain so much of a rise for the edge to be its cause: more than all
 * else together.
 */
export const LEAST_SHARE = 0.5;
/**
 * No work is taken of a step that changes the loss by a smaller share than this; its energy then
 * changes by no more.
 */
export const STEADY = 0.003;
/**
 * An oscillation grows from step to step; by more than this share of the rise in one step,
 * something kicked it …
 */
export const KICK_SHARE = 0.6;
/**
 * … if that is so many times what the sharpness can do in a step: its part of the rise that a fifth
 * may be added to.
 */
export const KICK_MARGIN = 1.2;
/** With mini-batches, what grows within fewer steps than this was kicked by one of them. */
export const LEAST_GROWTH = 3;
/**
 * Sharpness over threshold from which on an oscillation does not decay within the hundred steps of
 * a burst.
 */
export const AT_EDGE = 0.99;

/** Sharpness over threshold from which on a run is at the edge. */
export const NEAR_EDGE = 0.8;
/**
 * Rows from the first spike behind a jump of the learning rate in which others may be the jump's: a
 * loss that has not come back by then is where the run goes on from.
 */
export const DISTURBED = 325;

/**
 * How often verdicts from a plateau, and from one that batches make, are right (the table of
 * docs/detect.md).
 */
export const RESTING = 0.9;
export const HOVERING = 0.85;
