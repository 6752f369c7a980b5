import type { NumberParameter, ParameterTable } from '../../pipeline/core/parameters.ts';
import { choose, el } from '../dom.ts';
import type { LabConfig } from './lab-models.ts';
import { type LabOptions, type LabTable, labTable } from './lab-parameters.ts';

type Field = HTMLInputElement | HTMLSelectElement;

/** What the fields show. */
export interface FieldValues {
  readonly options: LabOptions;
  readonly config: LabConfig;
}

export interface LabFields {
  /** Preset and learning rate. */
  readonly main: HTMLElement;
  /** All else that can be said of a run. */
  readonly more: HTMLElement;
  draw(values: FieldValues): void;
}

/** The fields that stand first. */
const FIRST = ['preset', 'eta'];
/** Those, and what has controls of its own. */
const ELSEWHERE = [...FIRST, 'also'];
/** Decades below and above a value on its slider. */
const DECADES = 1;
/** Digits of a value that a slider sets. */
const DIGITS = 3;

/**
 * The fields of a run of the lab, made of the table of parameters of its model: each takes the
 * exact value; numbers of a known range have a slider, on a logarithmic scale where they are
 * positive.
 *
 * @param set told of a value; `sliding` while a slider moves
 */
export function labFields(set: (name: string, value: string, sliding: boolean) => void): LabFields {
  const main = el('span', { class: 'lab-row' });
  const more = el('div', { class: 'lab-row own-stops' });
  let fields: ReadonlyMap<string, Field> = new Map();
  let sliders: ReadonlyMap<string, ReturnType<typeof slider>> = new Map();
  let model = '';

  function make({ model: name, parameters }: LabTable): void {
    model = name;
    fields = new Map(Object.keys(parameters).map((each) => [each, field(each, parameters)]));
    sliders = new Map(
      Object.entries(parameters).flatMap(([each, parameter]) =>
        parameter.type === 'number' && hasRange(parameter)
          ? [[each, slider(each, parameter, set)] as const]
          : [],
      ),
    );
    const labelled = (each: string) =>
      el(
        'span',
        { class: 'lab-field' },
        el('label', {}, el('span', {}, nameOf(each, parameters)), fields.get(each)),
        sliders.get(each)?.element,
      );
    main.replaceChildren(...FIRST.map(labelled));
    more.replaceChildren(
      ...[...fields.keys()].filter((each) => !ELSEWHERE.includes(each)).map(labelled),
    );
  }

  function field(name: string, parameters: ParameterTable): Field {
    const parameter = parameters[name]!;
    const attributes = { 'data-parameter': name, title: parameter.meaning };
    const input =
      parameter.type === 'word'
        ? el(
            'select',
            attributes,
            ...parameter.words.map((word) => el('option', { value: word }, word)),
          )
        : el('input', {
            ...attributes,
            ...{ type: 'text', autocomplete: 'off', spellcheck: 'false' },
            ...(parameter.example ? { placeholder: parameter.example } : {}),
          });
    input.addEventListener('change', () => set(name, input.value.trim(), false));
    return input;
  }

  return {
    main,
    more,
    draw({ options, config }) {
      const table = labTable(options);
      if (table.model !== model) make(table);
      for (const [name, input] of fields) {
        const value = (config as unknown as Readonly<Record<string, unknown>>)[name];
        sliders.get(name)?.show(value);
        if (input === document.activeElement) continue;
        const text =
          name === 'preset' ? (options.preset ?? table.preset) : shown(name, options, value);
        if (input instanceof HTMLSelectElement) choose(input, text);
        else if (input.value !== text) input.value = text;
      }
    },
  };
}

const hasRange = ({ exclusiveMinimum, minimum, exclusiveMaximum }: NumberParameter): boolean =>
  exclusiveMinimum === 0 || (minimum === 0 && exclusiveMaximum !== undefined);

/** A slider of a number: over decades around the value it had, or over its whole range. */
function slider(
  name: string,
  { exclusiveMinimum, exclusiveMaximum = 1, symbol }: NumberParameter,
  set: (name: string, value: string, sliding: boolean) => void,
) {
  const log = exclusiveMinimum === 0;
  const element = el('input', {
    ...{ type: 'range', 'aria-label': `${symbol || name}, slider`, 'data-slider': name },
    ...(log
      ? { min: -DECADES, max: DECADES, step: 0.005 }
      : { min: 0, max: exclusiveMaximum - 0.01, step: 0.01 }),
  });
  /** What stands in the middle. */
  let middle = 0;
  let moved = '';
  const value = () =>
    String(
      Number(
        (log ? middle * 10 ** Number(element.value) : Number(element.value)).toPrecision(DIGITS),
      ),
    );
  element.addEventListener('input', () => {
    moved = value();
    set(name, moved, true);
  });
  element.addEventListener('change', () => {
    moved = value();
    set(name, moved, false);
  });
  return {
    element,
    show(now: unknown) {
      element.hidden = typeof now !== 'number' || (log && !(now > 0));
      if (typeof now !== 'number') return;
      if (!log) element.value = String(now);
      else {
        if (middle === 0 || (String(now) !== moved && element !== document.activeElement))
          middle = now;
        element.value = String(Math.log10(now / middle));
      }
    },
  };
}

const nameOf = (name: string, parameters: ParameterTable): string => {
  const { symbol, type } = parameters[name]!;
  return type === 'number' && symbol ? symbol : name;
};

/** What a field shows: as it was typed, where the value is the same. */
function shown(name: string, options: LabOptions, value: unknown): string {
  if (name === 'eta' && options.eta !== undefined) return options.eta;
  return value === null || value === undefined ? '' : String(value);
}
