import { minimal } from './minimal/index.ts';
import type { Model } from './model.ts';

/**
 * Every model that is a loss over a few numbers: a new one is one new file, which the build adds
 * here.
 */
export const models: readonly Model[] = [minimal];
