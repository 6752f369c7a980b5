import type { SchemaElement } from 'hyparquet';
import { described, type FieldKind, type TableField } from '../table-file.ts';

/** A column of values as the file stores it. */
export interface Leaf {
  readonly name: string;
  readonly element: SchemaElement;
  readonly path: readonly string[];
  /** Definition level of a value that is there, and the deepest repetition level. */
  readonly definition: number;
  readonly repetition: number;
}

/** A column of the table. */
export interface ParquetField extends TableField {
  /** The leaf that holds its values; of a nested column the first one. */
  readonly leaf: Leaf;
  /** Place of that leaf among all leaves of the file. */
  readonly place: number;
  /** The field and all below it. */
  readonly schema: readonly SchemaElement[];
}

/**
 * Columns of a schema that has been checked to be a tree. @param told what the file says of each
 */
export function parquetFields(
  schema: readonly SchemaElement[],
  told: Readonly<Record<string, unknown>> = {},
): ParquetField[] {
  const fields: ParquetField[] = [];
  let place = 0;
  for (let at = 1; at < schema.length; ) {
    const element = schema[at]!;
    const leaves: Leaf[] = [];
    const end = collect(schema, at, [], { definition: 0, repetition: 0 }, leaves);
    const inside = schema.slice(at, end);
    const flat = inside.length === 1 && element.repetition_type !== 'REPEATED';
    fields.push({
      name: element.name,
      kind: flat ? kindOf(element) : isList(inside) ? 'list' : 'nested',
      type: typeName(element),
      required: element.repetition_type === 'REQUIRED',
      ...described(told[element.name]),
      leaf: leaves[0]!,
      place,
      schema: inside,
    });
    place += leaves.length;
    at = end;
  }
  return fields;
}

/** Whether a field and all below it are lists of flat values, or of such lists. */
function isList([outer, ...inner]: readonly SchemaElement[]): boolean {
  if (!outer || inner.length === 0) return outer !== undefined;
  const listed = outer.converted_type === 'LIST' || outer.logical_type?.type === 'LIST';
  const [middle, ...items] = inner;
  return (
    listed &&
    outer.num_children === 1 &&
    middle?.num_children === 1 &&
    middle.repetition_type === 'REPEATED' &&
    isList(items)
  );
}

/** Adds the leaves of an element. @returns the place behind it and all below it */
function collect(
  schema: readonly SchemaElement[],
  at: number,
  above: readonly string[],
  levels: Pick<Leaf, 'definition' | 'repetition'>,
  leaves: Leaf[],
): number {
  const element = schema[at]!;
  const path = [...above, element.name];
  const definition = levels.definition + (element.repetition_type === 'REQUIRED' ? 0 : 1);
  const repetition = levels.repetition + (element.repetition_type === 'REPEATED' ? 1 : 0);
  const children = element.num_children ?? 0;
  if (children === 0) {
    leaves.push({ name: path[0]!, element, path, definition, repetition });
    return at + 1;
  }
  let next = at + 1;
  for (let i = 0; i < children; i++)
    next = collect(schema, next, path, { definition, repetition }, leaves);
  return next;
}

/**
 * Digits behind the point of what a column counts in milliseconds; undefined where it is no time.
 */
export function timeScale(element: SchemaElement): number | undefined {
  const { logical_type: logical, converted_type: converted } = element;
  if (logical?.type === 'TIMESTAMP') return { MILLIS: 0, MICROS: 3, NANOS: 6 }[logical.unit];
  if (converted === 'TIMESTAMP_MILLIS') return 0;
  if (converted === 'TIMESTAMP_MICROS') return 3;
  return undefined;
}

export const isDate = ({ converted_type, logical_type }: SchemaElement): boolean =>
  converted_type === 'DATE' || logical_type?.type === 'DATE';

/** Digits behind the point of a column of decimals; undefined where it is none. */
export function decimalScale(element: SchemaElement): number | undefined {
  const { logical_type: logical, converted_type, scale } = element;
  if (logical?.type === 'DECIMAL') return logical.scale;
  return converted_type === 'DECIMAL' ? (scale ?? 0) : undefined;
}

/** Range of a column of whole numbers that are narrower than what they are stored as. */
export function narrowRange(element: SchemaElement): readonly [number, number] | undefined {
  const { logical_type: logical, converted_type: converted } = element;
  const [, unsigned, width] = /^(U?)INT_(\d+)$/.exec(converted ?? '') ?? [];
  const bits = logical?.type === 'INTEGER' ? logical.bitWidth : Number(width);
  const signed = logical?.type === 'INTEGER' ? logical.isSigned : unsigned === '';
  if (!(bits < 32)) return undefined;
  return signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
}

export function kindOf(element: SchemaElement): FieldKind {
  const { type, converted_type: converted, logical_type: logical } = element;
  if (logical?.type === 'NULL') return 'nothing';
  if (decimalScale(element) !== undefined || logical?.type === 'FLOAT16') return 'number';
  if (timeScale(element) !== undefined || isDate(element) || type === 'INT96') return 'time';
  switch (type) {
    case 'BOOLEAN':
      return 'boolean';
    case 'BYTE_ARRAY':
      // Older writers do not say which of them are texts.
      return converted === 'BSON' || logical?.type.startsWith('GEO') ? 'bytes' : 'text';
    case 'FIXED_LEN_BYTE_ARRAY':
      return logical?.type === 'UUID' ? 'text' : 'bytes';
    default:
      return 'number';
  }
}

function typeName({
  type,
  converted_type: converted,
  logical_type: logical,
}: SchemaElement): string {
  if (converted === 'UTF8' || logical?.type === 'STRING') return 'STRING';
  return type ?? 'GROUP';
}
