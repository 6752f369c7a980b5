import { isPlain } from './is-plain.ts';
import { checkCallable, checkOptions } from './options.ts';
import { show } from './show.ts';

/** Refuses what a parameter cannot be. @throws TypeError that begins with `what` */
export type Check = (what: string, value: unknown) => void;

/** A check of values that one look tells. @param words what they are: "a number" */
export const being =
  (words: string, fits: (value: unknown) => boolean): Check =>
  (what, value) => {
    if (!fits(value)) throw new TypeError(`${what}: ${show(value)} is not ${words}`);
  };

export const isNumber = (value: unknown): value is number =>
  typeof value === 'number' && !Number.isNaN(value);

/** Infinities among them, which runs that diverge come to. */
export const aNumber = being('a number', isNumber);
export const aPositiveNumber = being('a positive number', (x) => isNumber(x) && x > 0);
export const aText = being('a text', (value) => typeof value === 'string');
export const aSwitch = being('true or false', (value) => typeof value === 'boolean');
export const aFunction: Check = checkCallable;

export const wholeFrom = (least: number) =>
  being(
    `a whole number from ${least} up`,
    (value) => Number.isSafeInteger(value) && Number(value) >= least,
  );

export const optional =
  (check: Check): Check =>
  (what, value) => {
    if (value !== undefined) check(what, value);
  };

type Shape = Readonly<Record<string, Check>>;

/** An object that has these, and maybe more. */
export const holding =
  (shape: Shape): Check =>
  (what, value) => {
    const names = Object.keys(shape).join(', ');
    if (!isPlain(value)) throw new TypeError(`${what}: ${show(value)} is not { ${names} }`);
    checkAll(what, value, shape);
  };

/** An object of options: any of these, and no others. */
export const choosing =
  (shape: Shape): Check =>
  (what, value) => {
    if (value === undefined) return;
    checkOptions(what, value, Object.keys(shape));
    for (const [name, check] of Object.entries(shape))
      optional(check)(`${what}.${name}`, (value as Readonly<Record<string, unknown>>)[name]);
  };

function checkAll(what: string, value: object, shape: Shape): void {
  for (const [name, check] of Object.entries(shape))
    check(`${what}.${name}`, (value as Readonly<Record<string, unknown>>)[name]);
}

/**
 * A function that looks at what it is given before it does anything, for those who call it from
 * outside: loops call what it guards.
 *
 * @param parameters by name, in their order
 */
export function guarded<F extends (...args: never[]) => unknown>(
  name: string,
  parameters: Shape,
  f: F,
): F {
  const checks = Object.entries(parameters);
  const guard = (...args: Parameters<F>) => {
    for (let i = 0; i < checks.length; i++) {
      const [parameter, check] = checks[i]!;
      check(`${name}: ${parameter}`, args[i]);
    }
    return f(...args);
  };
  return guard as F;
}
