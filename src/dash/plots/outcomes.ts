import type { ColorName, Theme } from './theme.ts';

const OUTCOME_LOOKS: Readonly<Record<string, readonly [name: string, color: ColorName]>> = {
  'gradient-flow': ['gradient flow', 'flow'],
  sharpening: ['still sharpening', 'sharpening'],
  'edge-of-stability': ['edge of stability', 'edge'],
  converged: ['converged', 'convergence'],
  diverged: ['diverged', 'diverged'],
  unknown: ['unknown', 'unknown'],
};

export const outcomeName = (outcome: string): string => OUTCOME_LOOKS[outcome]?.[0] ?? outcome;
export const outcomeColor = (theme: Theme, outcome: string): string =>
  theme[OUTCOME_LOOKS[outcome]?.[1] ?? 'other'];
