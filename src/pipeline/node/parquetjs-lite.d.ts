/** The part of parquetjs-lite that we use; the package ships no types. */
declare module 'parquetjs-lite' {
  export interface FieldDefinition {
    readonly type: 'INT32' | 'INT64' | 'DOUBLE' | 'UTF8';
    readonly compression: 'UNCOMPRESSED' | 'SNAPPY';
    readonly optional: boolean;
    readonly statistics: boolean;
  }
  export class ParquetSchema {
    constructor(fields: Readonly<Record<string, FieldDefinition>>);
  }
  export class ParquetEnvelopeWriter {
    constructor(
      schema: ParquetSchema,
      write: (bytes: Uint8Array) => Promise<void>,
      close: () => Promise<void>,
      fileOffset: number,
      options: {
        readonly useDataPageV2: boolean;
        readonly pageSize: number;
        readonly pageIndex: boolean;
      },
    );
    /** Bytes written so far, and the rows and groups in them. */
    offset: number;
    rowCount: number;
    rowGroups: unknown[];
    writeHeader(): Promise<void>;
    writeFooter(metadata: Readonly<Record<string, string>>): Promise<void>;
  }
  export interface RowBuffer {
    rowCount: number;
    pageRowCount: number;
    columnData: Record<string, ColumnBuffer>;
    pages: Record<string, unknown[]>;
  }
  export interface ColumnBuffer {
    dlevels: number[];
    rlevels: number[];
    values: unknown[];
    distinct_values: Set<unknown>;
    count: number;
  }
  export class ParquetWriter {
    constructor(
      schema: ParquetSchema,
      envelope: ParquetEnvelopeWriter,
      options: { readonly rowGroupSize: number },
    );
    rowBuffer: RowBuffer;
    setRowGroupSize(rows: number): void;
    setMetadata(key: string, value: string): void;
    appendRow(row: Readonly<Record<string, unknown>>): Promise<void>;
    close(): Promise<void>;
  }
  const parquet: {
    ParquetSchema: typeof ParquetSchema;
    ParquetEnvelopeWriter: typeof ParquetEnvelopeWriter;
    ParquetWriter: typeof ParquetWriter;
  };
  export default parquet;
}

declare module 'parquetjs-lite/lib/util.js' {
  const util: { decodeThrift(target: object, bytes: Buffer, offset?: number): number };
  export default util;
}

declare module 'parquetjs-lite/gen-nodejs/parquet_types.js' {
  const types: { FileMetaData: new () => { readonly row_groups: unknown[] } };
  export default types;
}
