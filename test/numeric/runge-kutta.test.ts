import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createIntegrator } from '../../src/pipeline/numeric/runge-kutta.ts';

test('a swing comes round to where it began, to the tolerance of its steps', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 50, noNaN: true }),
      fc.double({ min: 0.1, max: 3, noNaN: true }),
      (rate, start) => {
        const y = Float64Array.of(start, 0);
        const swing = createIntegrator(
          ([a, b], into) => {
            into[0] = rate * b!;
            into[1] = -rate * a!;
          },
          y,
          1e-9,
        );
        const period = (2 * Math.PI) / rate;
        for (let part = 0; part < 4; part++) swing.advance(period / 4);
        expect(Math.abs(y[0]! - start)).toBeLessThan(1e-5);
        expect(Math.abs(y[1]!)).toBeLessThan(1e-5);
      },
    ),
  );
});

test('a stiff decay costs no more steps than stability asks for, and stays on its solution', () => {
  let calls = 0;
  const y = Float64Array.of(1, 1);
  const decay = createIntegrator(
    ([a, b], into) => {
      calls++;
      into[0] = -1000 * (a! - b!);
      into[1] = -b!;
    },
    y,
    1e-6,
  );
  decay.advance(5);
  expect(y[1]! / Math.exp(-5)).toBeCloseTo(1, 3);
  expect(y[0]! / Math.exp(-5)).toBeCloseTo(1, 2);
  // Steps of 2.5/1000, four derivatives each, some of them tried twice.
  expect(calls).toBeLessThan(3 * 4 * 2000);
});

test('what settles after a step stays settled, and a derivative that is not a number ends', () => {
  const y = Float64Array.of(3, 4);
  const turn = createIntegrator(
    ([a, b], into) => {
      into[0] = -b! + 0.1 * a!;
      into[1] = a! + 0.1 * b!;
    },
    y,
    1e-6,
    (at) => {
      const length = Math.hypot(at[0]!, at[1]!);
      at[0]! /= length;
      at[1]! /= length;
    },
  );
  turn.advance(1);
  expect(Math.hypot(y[0]!, y[1]!)).toBeCloseTo(1, 12);
  const broken = Float64Array.of(1);
  createIntegrator((_, into) => into.fill(Number.NaN), broken, 1e-6).advance(1e-3);
  expect(broken[0]).toBeNaN();
});

test('on a jump of the derivative that holds it, it goes on by few steps, and stays there', () => {
  let calls = 0;
  const y = Float64Array.of(0.7, 0);
  const slide = createIntegrator(
    ([a], into) => {
      calls++;
      into[0] = a! > 0 ? -1 : 0.5;
      into[1] = 1;
    },
    y,
    1e-6,
  );
  for (let i = 0; i < 5; i++) slide.advance(1);
  expect(y[1]).toBeCloseTo(5, 9);
  expect(Math.abs(y[0]!)).toBeLessThan(0.02);
  expect(calls).toBeLessThan(5 * 1000);
});
