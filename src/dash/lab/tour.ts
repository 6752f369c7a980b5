import type { LabOptions } from './lab-parameters.ts';

/** A run of the tour, and the step to which it plays by itself. */
export interface TourRun {
  readonly options: LabOptions;
  readonly to: number;
}

export interface TourStop {
  readonly title: string;
  readonly text: string;
  /** Names of the formulas that belong to it. */
  readonly formulas: readonly string[];
  readonly runs: readonly TourRun[];
}

const three = { preset: 'three-phases' };
/** α of the start, and the next number that float64 has. */
const [START, ONE_ULP_ON] = ['0.3,0.1,0.3', '0.30000000000000004,0.1,0.3'];

/** From the first rise of the sharpness to a real network, in seven stops. */
export const TOUR: readonly TourStop[] = [
  {
    title: 'Progressive sharpening',
    text:
      'Gradient descent fits the feature that matters. While the loss L falls, both layers ' +
      'grow, and with them the curvature: the sharpness S climbs towards the dashed line, the ' +
      'threshold 2/η. Nothing oscillates yet. Press Play and watch S reach the line.',
    formulas: ['network', 'descent', 'sharpness'],
    runs: [{ options: three, to: 120 }],
  },
  {
    title: 'The edge of stability',
    text:
      'Along the sharpest direction, a step multiplies the distance from the valley by 1 − ηS. ' +
      'Over 2/η that is below −1: the oscillation grows. Classical theory expects the run to ' +
      'blow up here. It does not: S turns back, falls under 2/η, climbs again, and so on in ' +
      'cycles.',
    formulas: ['threshold', 'quadratic'],
    runs: [{ options: three, to: 1000 }],
  },
  {
    title: 'A spike, taken apart',
    text:
      'L₁ is the part of the loss that sits in the oscillation, L₂ all the rest. A spike of the ' +
      'loss is a spike of L₁ alone. The oscillation β₁ pushes α down, S falls under 2/η with ' +
      'it, and β₁ dies down: the run stabilizes itself. Press “To the next spike” and step ' +
      'through its peak.',
    formulas: ['split', 'oscillating', 'convergent', 'oscillation', 'push'],
    runs: [{ options: three, to: 990 }],
  },
  {
    title: 'The surrogate loss',
    text:
      'L spikes, but the surrogate loss L̂, which is L₂ with α held at the edge, falls evenly ' +
      'all the while: on a log scale its slope is constant. Underneath the spikes the run makes ' +
      'steady progress. The dashed line in the plot of the loss is the slope that theory ' +
      'predicts.',
    formulas: ['surrogate', 'edge', 'slope'],
    runs: [{ options: three, to: 2500 }],
  },
  {
    title: 'Why gradient flow ends elsewhere',
    text:
      'The second run takes steps a tenth as long, and so follows gradient flow: it keeps the ' +
      'balance of its layers, and its S climbs to 99.5, far under its own threshold of 400. At ' +
      'the edge of the first run each cycle wears the balance down, until a minimum of S ≈ 2/η ' +
      '= 40 is left. A large learning rate finds flatter minima.',
    formulas: ['flow', 'balance'],
    runs: [
      { options: three, to: 4000 },
      { options: { ...three, eta: '0.005' }, to: 12_000 },
    ],
  },
  {
    title: 'What float64 gets wrong',
    text:
      'Two runs at η = 1/7 whose starts differ in the last bit of α. They agree at first; then ' +
      'each cycle makes the difference larger, and from about step 500 on their spikes come at ' +
      'different times. From the step on where the column “digits” runs out, no number of such ' +
      'a run can be believed: eos marks it, and --precision computes it. Underflow is the other ' +
      'trap: in the preset “plain” β₁ falls below 10⁻³⁰⁸, which plain float64 holds as 0, and ' +
      'comes back.',
    formulas: ['oscillation'],
    runs: [
      { options: { ...three, eta: '1/7', init: START }, to: 6000 },
      { options: { ...three, eta: '1/7', init: ONE_ULP_ON }, to: 6000 },
    ],
  },
  {
    title: 'A real network',
    text:
      'The same on a network of two hidden layers with its own sharpest directions: S climbs to ' +
      '2/η and hovers there, the loss spikes, and L₁, now the energy of the oscillation along ' +
      'all directions at the edge, accounts for the spikes. Nothing here knows the model of ' +
      'three parameters.',
    formulas: ['sharpness', 'energy', 'rest'],
    runs: [{ options: { model: 'mlp' }, to: 1500 }],
  },
];
