import {
  type BasicType,
  ByteWriter,
  type ColumnSource,
  ParquetWriter,
  parquetWriteBuffer,
  schemaFromColumnData,
} from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import { RUN_COLUMNS } from '../../src/pipeline/models/minimal/columns.ts';

export type Rows = Readonly<Record<string, ArrayLike<number | string>>>;

/**
 * Rows of a made-up run: the columns and words of a real one, with values that are easy to check.
 */
export function makeRows(length: number, from = 0): Record<string, number[] | string[]> {
  const index = Array.from({ length }, (_, i) => from + i);
  const wave = (t: number) => Math.sin(t / 40) * Math.exp(-t / 5000);
  return {
    step: index,
    alpha: index.map((t) => 0.6 + 0.05 * wave(t)),
    beta1: index.map((t) => 0.001 * wave(t)),
    beta2: index.map((t) => 0.3 + t / (t + 3000)),
    log10_abs_beta1: index.map((t) => Math.log10(Math.abs(0.001 * wave(t)) + 1e-6)),
    loss: index.map((t) => Math.exp(-t / 2000) * (1 + 0.3 * wave(t)) + 1e-9),
    l1: index.map((t) => 0.01 * wave(t) ** 2),
    l2: index.map((t) => Math.exp(-t / 2000)),
    l_hat: index.map((t) => Math.exp(-t / 1900)),
    grad_norm: index.map((t) => Math.exp(-t / 1000)),
    sharpness: index.map((t) => 40 * (1 - Math.exp(-t / 300)) + wave(t)),
    sharpness_ratio: index.map((t) => 1 - Math.exp(-t / 300) + wave(t) / 40),
    regime: index.map((t) => (t < 700 ? 'stable' : 'edge')),
    gfs_sharpness: index.map((t) => 60 + 40 * Math.exp(-t / 3000)),
    balance: index.map(() => -0.01),
    phase: index.map((t) =>
      t < 800
        ? 'progressive-sharpening'
        : Math.floor(t / 100) % 2
          ? 'eos-sharpening'
          : 'eos-self-stabilization',
    ),
    cycle: index.map((t) => (t < 800 ? 0 : 1 + Math.floor((t - 800) / 200))),
  } as Record<string, number[] | string[]>;
}

export const CONFIG = {
  lambda1: 100,
  lambda2: 0.01,
  covariance: 0,
  eta: 0.05,
  init: [0.3, 0.1, 0.3],
  floor: 1e-6,
  steps: 10_000,
  delta: 0.01,
  epsilon: 1e-8,
  band: 0.05,
};

const typeOf = (name: string): BasicType =>
  RUN_COLUMNS.find((column) => column.name === name)?.type ?? 'DOUBLE';

function columnData(rows: Rows): ColumnSource[] {
  return Object.entries(rows).map(([name, values]): ColumnSource => {
    const type = typeOf(name);
    const list = Array.from(values);
    if (type === 'INT64')
      return {
        name,
        type,
        nullable: false,
        offsetIndex: false,
        data: BigInt64Array.from(list.map((value) => BigInt(value))),
      };
    if (type === 'INT32')
      return {
        name,
        type,
        nullable: false,
        offsetIndex: false,
        data: Int32Array.from(list as number[]),
      };
    if (typeof list[0] === 'string')
      return { name, type: 'STRING', nullable: false, offsetIndex: false, data: list };
    return {
      name,
      type,
      nullable: false,
      offsetIndex: false,
      data: Float64Array.from(list as number[]),
    };
  });
}

/** A Parquet file of these rows. */
export function parquetBytes(
  rows: Rows,
  metadata: Readonly<Record<string, string>> = { 'eos.config': JSON.stringify(CONFIG) },
  rowGroupSize = 2000,
  codec: 'SNAPPY' | 'UNCOMPRESSED' = 'SNAPPY',
): Uint8Array {
  const kvMetadata = Object.entries(metadata).map(([key, value]) => ({ key, value }));
  return new Uint8Array(
    parquetWriteBuffer({ columnData: columnData(rows), kvMetadata, rowGroupSize, codec }),
  );
}

/**
 * A file that grows as a run does: after each `add` the bytes so far end with a complete footer.
 */
export function growingFile(
  metadata: Readonly<Record<string, string>> = { 'eos.config': JSON.stringify(CONFIG) },
): {
  add(rows: Rows): Uint8Array;
} {
  const writer = new ByteWriter();
  let file: ParquetWriter | undefined;
  return {
    add(rows) {
      const columns = columnData(rows);
      const kvMetadata = Object.entries(metadata).map(([key, value]) => ({ key, value }));
      file ??= new ParquetWriter({
        writer,
        schema: schemaFromColumnData({ columnData: columns }),
        kvMetadata,
      });
      file.write({
        columnData: columns.map(({ type: _, nullable: __, ...column }) => column),
        rowGroupSize: 1e6,
      });
      writeMetadata(writer, {
        version: 2,
        created_by: 'test',
        schema: file.schema,
        num_rows: file.num_rows,
        row_groups: file.row_groups,
        key_value_metadata: kvMetadata,
      } as unknown as Parameters<typeof writeMetadata>[1]);
      writer.appendUint32(0x31524150);
      return writer.getBytes().slice();
    },
  };
}
