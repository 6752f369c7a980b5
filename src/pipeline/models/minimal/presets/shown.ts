import type { ShownPreset } from '../../../core/preset.ts';
import { shownFigure3 } from './figure3.ts';
import { shownGradientFlow } from './gradient-flow.ts';
import { shownPaper } from './paper.ts';
import { shownPlain } from './plain.ts';
import { shownThreePhases } from './three-phases.ts';

/** The presets with what their runs show: apart, since a run can do without. */
export const SHOWN_PRESETS: readonly (() => ShownPreset)[] = [
  shownPaper,
  shownFigure3,
  shownThreePhases,
  shownGradientFlow,
  shownPlain,
];
