// Doctors the file of a run in every way that comes to mind.
import { writeFileSync } from 'node:fs';
import { openTable } from '../dist/cli/inspect/table-reader.js';
import { checksum } from '../dist/pipeline/core/checksum.js';
import { columnArray } from '../dist/pipeline/core/schema.js';
import { arrowFormat } from '../dist/pipeline/formats/arrow/arrow-format.js';
import { memoryTarget } from '../dist/pipeline/formats/byte-target.js';
import { hyparquetFormat } from '../dist/pipeline/formats/parquet/hyparquet.js';

/** A file as plain arrays and JSON. */
export async function load(path) {
  const table = await openTable(path);
  const names = table.fields.map(({ name }) => name);
  const values = Object.fromEntries(names.map((name) => [name, []]));
  for await (const block of table.read(names))
    for (const name of names) for (const value of Array.from(block[name])) values[name].push(value);
  const columns = table.fields.map(({ name, type, symbol, unit, meaning, required }) => ({
    spec: { name, type, symbol, unit, meaning, nullable: !required },
    values: values[name],
  }));
  const { 'eos.columns': _, ...metadata } = table.metadata;
  const json = (key) => (metadata[key] === undefined ? undefined : JSON.parse(metadata[key]));
  return {
    kind: table.kind,
    columns,
    metadata,
    config: json('eos.config'),
    summary: json('eos.summary'),
  };
}

/** Writes it as eos does, its digest as it stands unless it is to be made anew. */
export async function save({ kind, columns, metadata, config, summary }, path, digest = true) {
  const schema = columns.map(({ spec, values }) =>
    spec.type === 'STRING' ? { ...spec, words: [...new Set(values)] } : spec,
  );
  const length = columns[0]?.values.length ?? 0;
  const arrays = columns.map(({ values }, c) => {
    const { type, words } = schema[c];
    const array = columnArray(type, length);
    for (let i = 0; i < length; i++) {
      const value = values[i];
      array[i] = words ? words.indexOf(value) : value === null ? Number.NaN : value;
    }
    return array;
  });
  const text = JSON.stringify(config);
  const all = {
    ...metadata,
    ...(config === undefined ? {} : { 'eos.config': text }),
    ...(summary === undefined ? {} : { 'eos.summary': JSON.stringify(summary) }),
    ...(digest && config !== undefined && metadata['eos.digest'] !== undefined
      ? { 'eos.digest': checksum(text) }
      : {}),
  };
  if (config === undefined) delete all['eos.config'];
  if (summary === undefined) delete all['eos.summary'];
  const target = memoryTarget();
  const writer = (kind === 'arrow' ? arrowFormat : hyparquetFormat())(target, schema);
  await writer.write({ length, columns: arrays });
  await writer.finish(all);
  await target.commit();
  writeFileSync(path, target.bytes());
}

/** The neighbouring float64. */
function flipped(value) {
  const bits = new BigInt64Array(new Float64Array([value]).buffer);
  bits[0] ^= 1n;
  return new Float64Array(bits.buffer)[0];
}

const isWhole = (values) => values.every((x) => x === null || Number.isInteger(x));

/**
 * Each way of doctoring a file, by a name. @param other a true file of another run with the same
 * columns
 */
export function* doctored(file, other) {
  yield* columnsDoctored(file, other);
  yield* rowsDoctored(file, other);
  yield* metadataDoctored(file, other);
}

function withColumn(file, name, change) {
  return {
    ...file,
    columns: file.columns.map((column) =>
      column.spec.name === name ? { ...column, values: change([...column.values]) } : column,
    ),
  };
}

function* columnsDoctored(file, other) {
  const rows = file.columns[0].values.length;
  const cells = [...new Set([0, 1, Math.floor(rows / 2), rows - 1])];
  for (const [c, { spec, values }] of file.columns.entries()) {
    const { name } = spec;
    const number = spec.type !== 'STRING';
    const whole = number && isWhole(values);
    const each = (f) => (column) => column.map((x, i) => (x === null ? x : f(x, i)));
    const changes = {
      reversed: (column) => column.reverse(),
      'late by a row': (column) => [column[0], ...column.slice(0, -1)],
      'early by a row': (column) => [...column.slice(1), column.at(-1)],
      constant: (column) => column.map(() => column[0]),
      'two rows swapped': (column) => {
        const half = Math.floor(rows / 2);
        [column[half - 1], column[half]] = [column[half], column[half - 1]];
        return column;
      },
      ...(number
        ? {
            scaled: each((x) => (whole ? 2 * x + 1 : 1.0001 * x)),
            'scaled by 1e-9': each((x) => (whole ? x + 1 : x * (1 + 1e-9))),
            'scaled by 1e-10': each((x) => (whole ? x : x * (1 + 1e-10))),
            'scaled by 1e-13': each((x) => (whole ? x : x * (1 + 1e-13))),
            shifted: each((x) => (whole ? x + 3 : x + 1e-3)),
            noised: each((x, i) => (whole ? x + ((i * 7) % 3) : x * (1 + 1e-6 * Math.sin(i + 1)))),
            'noised by a last place': each((x, i) => (!whole && i % 3 === 0 ? flipped(x) : x)),
            zeroed: each(() => 0),
            negated: each((x) => -x || 1),
            'one less': each((x) => (whole ? Math.max(0, x - 1) : x)),
            'as large as ever': (column) => column.map(() => Math.max(...column)),
            'rounded to float32': each((x) => Math.fround(x)),
            'negated from the middle on': (column) =>
              column.map((x, i) => (x !== null && 2 * i >= rows ? -x || 1 : x)),
            'frozen from the middle on': (column) =>
              column.map((x, i) => (2 * i >= rows ? column[Math.floor(rows / 2)] : x)),
            'late by a row from the middle on': (column) =>
              column.map((x, i) => (2 * i >= rows ? (column[i - 1] ?? x) : x)),
            sorted: (column) => column.sort((a, b) => a - b),
            smoothed: (column) =>
              column.map((x, i) =>
                whole || x === null ? x : (x + (column[i - 1] ?? x) + (column[i + 1] ?? x)) / 3,
              ),
            drifting: each((x, i) => (whole ? x + Math.floor(i / 50) : x * (1 + 1e-8 * i))),
            halved: each((x) => (whole ? Math.floor(x / 2) : x / 2)),
            'to eleven digits': each((x) => Number(x.toPrecision(11))),
            'to six digits': each((x) => Number(x.toPrecision(6))),
          }
        : {}),
    };
    for (const [how, change] of Object.entries(changes))
      yield [`column ${name} ${how}`, withColumn(file, name, change)];
    for (const row of cells) {
      const cell = (value) =>
        withColumn(file, name, (column) => column.map((x, i) => (i === row ? value(x) : x)));
      if (!number) {
        const words = [...new Set(values), 'convergence', 'unstable', 'nonsense'];
        for (const word of words) yield [`column ${name}, row ${row} is ${word}`, cell(() => word)];
        continue;
      }
      yield [`column ${name}, row ${row} one more`, cell((x) => (x ?? 0) + 1)];
      yield [
        `column ${name}, row ${row} by a millionth`,
        cell((x) => (whole ? x + 2 : x * (1 + 1e-6))),
      ];
      if (spec.type === 'DOUBLE') {
        yield [`column ${name}, row ${row} by its last bit`, cell((x) => flipped(x ?? 1))];
        yield [`column ${name}, row ${row} NaN`, cell(() => Number.NaN)];
        yield [`column ${name}, row ${row} infinite`, cell(() => Number.POSITIVE_INFINITY)];
        const nulled = cell(() => null);
        yield [
          `column ${name}, row ${row} NULL`,
          {
            ...nulled,
            columns: nulled.columns.map((x) =>
              x.spec === spec ? { ...x, spec: { ...spec, nullable: true } } : x,
            ),
          },
        ];
      }
    }
    const respec = (change) => ({
      ...file,
      columns: file.columns.map((x, i) => (i === c ? { ...x, spec: { ...spec, ...change } } : x)),
    });
    yield [`column ${name} renamed`, respec({ name: `${name}x` })];
    yield [`column ${name} in other units`, respec({ unit: 'furlongs' })];
    yield [`column ${name} with another symbol`, respec({ symbol: 'X' })];
    yield [`column ${name} with another meaning`, respec({ meaning: 'nothing' })];
    if (number)
      yield [
        `column ${name} of another type`,
        { ...respec({ type: spec.type === 'DOUBLE' ? 'INT32' : 'DOUBLE' }) },
      ];
    yield [`column ${name} left out`, { ...file, columns: file.columns.filter((_, i) => i !== c) }];
    yield [`column ${name} twice`, { ...file, columns: [...file.columns, file.columns[c]] }];
    const next = file.columns[(c + 1) % file.columns.length];
    if (next.spec.type === spec.type)
      yield [
        `columns ${name} and ${next.spec.name} swapped`,
        {
          ...file,
          columns: file.columns.map((x) =>
            x.spec === spec ? { ...x, values: next.values } : x === next ? { ...x, values } : x,
          ),
        },
      ];
    const theirs = other?.columns[c];
    if (theirs && theirs.spec.name === name && theirs.values.length === rows)
      yield [`column ${name} of another run`, withColumn(file, name, () => theirs.values)];
  }
}

function byRows(file, change) {
  return { ...file, columns: file.columns.map((x) => ({ ...x, values: change([...x.values]) })) };
}

function* rowsDoctored(file, other) {
  const steps = file.columns.find(({ spec }) => spec.name === 'step')?.values;
  const rows = file.columns[0].values.length;
  const half = Math.floor(rows / 2);
  const inOrder = (changed) =>
    withColumn(changed, 'step', (column) => column.map((_, i) => steps?.[i] ?? i));
  const swap = (x) => {
    [x[half - 1], x[half]] = [x[half], x[half - 1]];
    return x;
  };
  const ways = {
    'one dropped': (x) => x.filter((_, i) => i !== half),
    'the first dropped': (x) => x.slice(1),
    'the first ten dropped': (x) => x.slice(10),
    'the last dropped': (x) => x.slice(0, -1),
    'a tenth dropped': (x) => x.filter((_, i) => i % 10 !== 3),
    'one doubled': (x) => [...x.slice(0, half), x[half], ...x.slice(half)],
    'the last doubled': (x) => [...x, x.at(-1)],
    'two swapped': swap,
    'the first half': (x) => x.slice(0, half),
    'the second half': (x) => x.slice(half),
    'every second': (x) => x.filter((_, i) => i % 2 === 0),
    reversed: (x) => x.reverse(),
    none: () => [],
    'the first alone': (x) => x.slice(0, 1),
  };
  for (const [how, change] of Object.entries(ways)) {
    const changed = byRows(file, change);
    yield [`rows: ${how}`, changed];
    yield [`rows: ${how}, steps in order`, inOrder(changed)];
    const last = changed.columns[0].values.length - 1;
    const lastStep = changed.columns.find(({ spec }) => spec.name === 'step')?.values[last];
    if (lastStep === undefined || file.summary === undefined) continue;
    const cut = (more) => ({
      ...changed,
      summary: { ...file.summary, last_step: lastStep, ...more },
    });
    yield [`rows: ${how}, claimed to be interrupted`, cut({ interrupted: true })];
    yield [`rows: ${how}, claimed to be recovered`, cut({ interrupted: true, recovered: true })];
    yield [
      `rows: ${how}, claimed to be diverged`,
      cut({ outcome: 'diverged', diverged_at: lastStep + 1 }),
    ];
    if (file.config?.steps !== undefined)
      yield [
        `rows: ${how}, claimed to be all`,
        { ...cut({}), config: { ...file.config, steps: lastStep } },
      ];
    if (file.config?.every !== undefined)
      yield [
        `rows: ${how}, claimed to be thinned`,
        { ...changed, config: { ...file.config, every: 2 } },
      ];
  }
  if (steps) {
    const further = byRows(file, (x) => [...x, x.at(-1)]);
    yield [
      'rows: one more at the end',
      withColumn(further, 'step', (x) => x.map((t, i) => (i === rows ? t + 1 : t))),
    ];
    const far = withColumn(file, 'step', (x) => x.map((t, i) => (i === rows - 1 ? 9e15 : t)));
    yield ['rows: the last one of step 9e15', far];
  }
  if (!other || other.columns.length !== file.columns.length) return;
  const from = Math.min(half, other.columns[0].values.length - 1);
  const joined = {
    ...file,
    columns: file.columns.map((x, c) => ({
      ...x,
      values: [...x.values.slice(0, from), ...other.columns[c].values.slice(from, rows)],
    })),
  };
  yield ["rows: another run's tail", joined];
  yield ["rows: another run's tail and summary", { ...joined, summary: other.summary }];
}

function* metadataDoctored(file, other) {
  yield ['no config', { ...file, config: undefined }];
  yield ['no summary', { ...file, summary: undefined }];
  for (const key of Object.keys(file.metadata)) {
    if (['eos.config', 'eos.summary'].includes(key)) continue;
    const { [key]: _, ...rest } = file.metadata;
    yield [`no ${key}`, { ...file, metadata: rest }, false];
    for (const text of ['1', '3', 'x', '{}'])
      if (file.metadata[key] !== text)
        yield [
          `${key} is ${text}`,
          { ...file, metadata: { ...file.metadata, [key]: text } },
          false,
        ];
  }
  if (file.metadata['eos.checkpoint'] === undefined)
    yield [
      'a checkpoint',
      { ...file, metadata: { ...file.metadata, 'eos.checkpoint': '{"rows":3,"stages":{}}' } },
    ];
  else {
    const stored = JSON.parse(file.metadata['eos.checkpoint']);
    for (const [path, value] of leaves(stored)) {
      if (typeof value !== 'number') continue;
      const text = JSON.stringify(replaced(stored, path, value + 1));
      yield [
        `checkpoint ${path.join('.')} one more`,
        { ...file, metadata: { ...file.metadata, 'eos.checkpoint': text } },
      ];
    }
  }
  for (const part of ['config', 'summary']) {
    if (file[part] === undefined || file[part] === null) continue;
    for (const [path, value] of leaves(file[part]))
      for (const [how, changed] of others(path, value)) {
        const doctoredPart = { ...file, [part]: replaced(file[part], path, changed) };
        const name = `${part}.${path.join('.')} ${how}`;
        yield [name, doctoredPart];
        if (part === 'config') yield [`${name}, digest kept`, doctoredPart, false];
      }
    yield [`${part} with something more`, { ...file, [part]: { ...file[part], more: 1 } }];
  }
  if (other) {
    yield ["another run's config", { ...file, config: other.config }];
    yield ["another run's summary", { ...file, summary: other.summary }];
    yield [
      "another run's config and summary",
      { ...file, config: other.config, summary: other.summary },
    ];
  }
  const { config, summary } = file;
  if (!summary) return;
  yield [
    'trusted without end',
    { ...file, summary: { ...summary, trusted_until: null, warnings: [] } },
  ];
  yield ['trusted until step 1', { ...file, summary: { ...summary, trusted_until: 1 } }];
  yield [
    'many bits claimed',
    { ...file, config: { ...config, precision: '256' }, summary: { ...summary, precision: 256 } },
  ];
  yield [
    'auto claimed',
    { ...file, config: { ...config, precision: 'auto' }, summary: { ...summary, precision: 256 } },
  ];
  if (config?.steps !== undefined) {
    const { last_step: step } = summary;
    const message = `interrupted after step ${step} of ${config.steps + 1000}`;
    const warnings = [...(summary.warnings ?? []), { kind: 'interrupted', step, message }];
    yield [
      'claimed to be interrupted',
      {
        ...file,
        config: { ...config, steps: config.steps + 1000 },
        summary: { ...summary, interrupted: true, warnings },
      },
    ];
  }
}

function* leaves(value, path = []) {
  if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) yield* leaves(item, [...path, key]);
  else yield [path, value];
}

function* others(path, value) {
  if (typeof value === 'number') {
    yield ['changed', Number.isInteger(value) ? value + 1 : value * 1.01];
    yield ['by a last place', Number.isInteger(value) ? value + 2 : flipped(value)];
    if (value !== 0) yield ['halved', value / 2];
    yield ['negated', -value - 1];
  } else if (typeof value === 'boolean') yield ['turned', !value];
  else if (typeof value === 'string')
    yield ['another word', value === 'converged' ? 'diverged' : 'converged'];
  else yield ['set', path.at(-1) === 'columns' ? ['step', 'loss'] : 7];
  yield ['left out', undefined];
}

function replaced(value, [key, ...path], other) {
  const copy = Array.isArray(value) ? value.slice() : { ...value };
  if (path.length > 0) copy[key] = replaced(value[key], path, other);
  else if (other === undefined) delete copy[key];
  else copy[key] = other;
  return copy;
}
