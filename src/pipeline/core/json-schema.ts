import type { Parameter, ParameterTable } from './parameters.ts';

/** A JSON Schema, or a part of one. */
export type JsonSchema = { readonly [key: string]: unknown };

/** The JSON Schema (draft 2020-12) of an object with these parameters; null counts as not given. */
export function jsonSchema(title: string, table: ParameterTable): JsonSchema {
  const properties = Object.entries(table).flatMap(([name, parameter]) => [
    [name, parameterSchema(parameter)] as const,
    ...(parameter.aliases ?? []).map((alias) => [alias, { $ref: `#/properties/${name}` }] as const),
  ]);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title,
    type: 'object',
    properties: { $schema: { type: 'string' }, ...Object.fromEntries(properties) },
    additionalProperties: false,
  };
}

function parameterSchema(parameter: Parameter): JsonSchema {
  const { meaning, example, default: value } = parameter;
  return {
    description: example === undefined ? meaning : `${meaning}, such as ${example}`,
    ...(value === undefined ? {} : { default: value }),
    anyOf: [...valueSchemas(parameter), { type: 'null' }],
  };
}

/** A number as text, as `parseNumber` reads it: 0.05, 1e-6, 1/20. */
const DECIMAL = '\\s*[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?\\s*';
const NUMBER = `${DECIMAL}(/${DECIMAL})?`;

function valueSchemas(parameter: Parameter): readonly JsonSchema[] {
  switch (parameter.type) {
    case 'number':
    case 'integer': {
      const { type, minimum, maximum, exclusiveMinimum, exclusiveMaximum } = parameter;
      const range = { minimum, maximum, exclusiveMinimum, exclusiveMaximum };
      const given = Object.entries(range).filter(([, limit]) => limit !== undefined);
      return [
        { type, ...Object.fromEntries(given) },
        { type: 'string', pattern: `^${NUMBER}$` },
      ];
    }
    case 'numbers': {
      const { length } = parameter.parts;
      return [
        { type: 'array', items: { type: 'number' }, minItems: length, maxItems: length },
        { type: 'string', pattern: `^${Array(length).fill(NUMBER).join(',')}$` },
      ];
    }
    case 'word':
      return [{ enum: [...parameter.words, ...Object.keys(parameter.synonyms ?? {})] }];
    case 'words':
      return [
        {
          type: 'array',
          items: parameter.words.length > 0 ? { enum: parameter.words } : { type: 'string' },
          minItems: 1,
        },
        { type: 'string', minLength: 1 },
      ];
    case 'boolean':
      return [{ type: 'boolean' }];
    case 'text':
      return parameter.grid ? GRID : [{ type: 'string', minLength: 1 }];
  }
}

/**
 * The values of a grid: one, a text such as `0.01:0.5:log:60`, or a list; of starts a list of
 * lists.
 */
const GRID: readonly JsonSchema[] = [
  { type: 'number' },
  { type: 'string', minLength: 1 },
  {
    type: 'array',
    items: {
      anyOf: [{ type: ['number', 'string'] }, { type: 'array', items: { type: 'number' } }],
    },
    minItems: 1,
  },
];
