import { python } from '../setup/parts.ts';

/** A table that pyarrow wrote, and what pyarrow reads in each of its columns. */
export interface WrittenTable {
  readonly name: string;
  readonly rows: number;
  /**
   * Columns in their order: two may have the same name. Numbers that JSON cannot hold are words.
   */
  readonly columns: readonly { readonly name: string; readonly values: readonly unknown[] }[];
}

/** What every program below begins with: how values are told, and some columns. */
const TELL = `
import sys, json, math, itertools, datetime, decimal
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from pathlib import Path
folder = Path(sys.argv[1])
N = 300
D = decimal.Decimal
rng = np.random.default_rng(11)

def plain(value):
    if value is None or isinstance(value, (bool, str)): return value
    if isinstance(value, int): return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, D): return float(value)
    if isinstance(value, bytes): return value.decode("latin1")
    if isinstance(value, dict): return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)): return [plain(v) for v in value]
    raise TypeError(type(value))

def told(column):
    type = column.type
    if pa.types.is_dictionary(type): column = column.cast(type.value_type); type = column.type
    if pa.types.is_timestamp(type): return [None if v is None else v * 1000 if type.unit == "s" else v / {"ms": 1, "us": 1000, "ns": 1000000}[type.unit] for v in column.cast(pa.int64()).to_pylist()]
    if pa.types.is_date32(type): return [None if v is None else v * 86400000 for v in column.cast(pa.int32()).to_pylist()]
    if pa.types.is_time32(type): return [plain(v) for v in column.cast(pa.int32()).to_pylist()]
    if pa.types.is_time64(type): return [plain(v) for v in column.cast(pa.int64()).to_pylist()]
    return [plain(v) for v in column.to_pylist()]

files = []
`;

const PARQUET = `${TELL}
def write(name, table, **options):
    path = folder / (name + ".parquet")
    pq.write_table(table, path, **options)
    files.append({"name": name, "rows": table.num_rows, "columns": [{"name": n, "values": told(c)} for n, c in zip(table.column_names, table.columns)]})

def masked(values, pattern):
    at = {"none": lambda i: False, "all": lambda i: True, "odd": lambda i: i % 2 == 1, "first": lambda i: i < 40,
          "last": lambda i: i >= N - 40, "runs": lambda i: (i // 37) % 2 == 0}[pattern]
    return [None if at(i) else v for i, v in enumerate(values)]

doubles = list(rng.normal(size=N)) ; doubles[3] = math.inf; doubles[4] = -math.inf; doubles[5] = -0.0
ints = [int(v) for v in rng.integers(-1000, 1000, N)]
texts = ["run %d of %s" % (i, "x" * (i % 7)) for i in range(N)]
words = ["stable" if i % 40 < 25 else "edge" for i in range(N)]
bools = [bool(i % 3 == 0) for i in range(N)]

def base(pattern):
    m = lambda v: masked(v, pattern)
    return pa.table({"step": pa.array(range(N), pa.int64()), "d": pa.array(m(doubles), pa.float64()), "f": pa.array(m(np.float32(doubles).tolist()), pa.float32()),
        "i": pa.array(m(ints), pa.int32()), "l": pa.array(m([v * 2**40 for v in ints]), pa.int64()), "s": pa.array(m(texts), pa.string()), "w": pa.array(m(words), pa.string()), "b": pa.array(m(bools), pa.bool_())})

codecs = ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]
patterns = ["none", "all", "odd", "first", "last", "runs"]
for codec, version in itertools.product(codecs, ["1.0", "2.0"]):
    for pattern in patterns if codec in ("none", "zstd") else ["none", "odd"]:
        write("%s v%s nulls %s" % (codec, version, pattern), base(pattern), compression=codec, data_page_version=version)
encodings = [("PLAIN", ["d", "f", "i", "l", "s", "w", "b"]), ("DELTA_BINARY_PACKED", ["i", "l", "step"]), ("DELTA_LENGTH_BYTE_ARRAY", ["s", "w"]),
             ("DELTA_BYTE_ARRAY", ["s", "w"]), ("BYTE_STREAM_SPLIT", ["d", "f", "i", "l"]), ("RLE", ["b"])]
for (encoding, names), version, pattern, codec in itertools.product(encodings, ["1.0", "2.0"], ["none", "odd", "all"], ["none", "snappy"]):
    write("%s v%s nulls %s %s" % (encoding, version, pattern, codec), base(pattern), compression=codec, data_page_version=version, use_dictionary=False, column_encoding={n: encoding for n in names})
for version in ["1.0", "2.0"]:
    write("empty v" + version, base("none").slice(0, 0), data_page_version=version)
    write("small pages v" + version, base("runs"), data_page_version=version, data_page_size=64, write_batch_size=16, row_group_size=90)
    write("checksums v" + version, base("odd"), data_page_version=version, write_page_checksum=True, data_page_size=256, write_batch_size=16)
    write("page index v" + version, base("odd"), data_page_version=version, write_page_index=True)
    whole = {"int8": (pa.int8(), -128, 127), "int16": (pa.int16(), -2**15, 2**15 - 1), "uint8": (pa.uint8(), 0, 255), "uint16": (pa.uint16(), 0, 65535),
             "uint32": (pa.uint32(), 0, 2**32 - 1), "uint64": (pa.uint64(), 0, 2**64 - 1), "int64": (pa.int64(), -2**63, 2**63 - 1)}
    for use_dictionary in [True, False]:
        write("integers v%s dictionary %s" % (version, use_dictionary), pa.table({n: pa.array(([low, high, None, 0, 1] * N)[:N], t) for n, (t, low, high) in whole.items()}), data_page_version=version, use_dictionary=use_dictionary)
        times = pa.table({"s": pa.array(range(N), pa.timestamp("s")), "ms": pa.array([1500000000123 + i for i in range(N)], pa.timestamp("ms", "UTC")),
            "us": pa.array([1500000000123456 + i for i in range(N)], pa.timestamp("us")), "ns": pa.array([None if i % 7 == 3 else 1500000000123456789 + i for i in range(N)], pa.timestamp("ns")),
            "date": pa.array(range(N), pa.date32()), "time32": pa.array(range(N), pa.time32("ms")), "time64": pa.array([i * 1000 for i in range(N)], pa.time64("ns"))})
        write("times v%s dictionary %s" % (version, use_dictionary), times, data_page_version=version, use_dictionary=use_dictionary)
        decimals = {"p%d s%d" % (p, s): pa.array([None if i % 9 == 4 else D(i * (-1) ** i) / D(10) ** s for i in range(N)], pa.decimal128(p, s)) for p, s in [(7, 0), (9, 2), (18, 3), (18, 7), (30, 5), (38, 10)]}
        decimals["large"] = pa.array([D("123456789012345678901234567.8901") + i for i in range(N)], pa.decimal128(38, 4))
        decimals["widest"] = pa.array([D("-1234567890123456789012345678901234567890.5") + i for i in range(N)], pa.decimal256(60, 1))
        write("decimals v%s dictionary %s" % (version, use_dictionary), pa.table(decimals), data_page_version=version, use_dictionary=use_dictionary, store_decimal_as_integer=use_dictionary)
    nested = pa.table({"list": pa.array([None if i % 25 == 3 else [i / 2, i, None] if i % 4 else [] for i in range(N)], pa.list_(pa.float64())),
        "fixed": pa.array([[i, i + 1, i + 2] for i in range(N)], pa.list_(pa.float32(), 3)),
        "matrix": pa.array([[[1.0 * i], [2.0, 3.0], []] if i % 5 else None for i in range(N)], pa.list_(pa.list_(pa.float64()))),
        "struct": pa.array([{"lr": 0.1 * i, "tags": ["a", str(i)]} if i % 6 else None for i in range(N)]),
        "after": pa.array([i * 0.5 for i in range(N)])})
    for codec in ["none", "zstd"]:
        write("nested v%s %s" % (version, codec), nested, data_page_version=version, compression=codec)
    write("nested small pages v" + version, nested, data_page_version=version, data_page_size=64, write_batch_size=16, row_group_size=110)
write("half floats", pa.table({"h": pa.array([None if i % 5 == 2 else np.float16(i / 8) for i in range(N)], pa.float16())}))
write("binary", pa.table({"raw": pa.array([b"\\x41" * (i % 5) for i in range(N)], pa.binary()), "fixed": pa.array([b"abc"] * N, pa.binary(3)), "after": pa.array(doubles)}))
write("dictionaries", pa.table({"w": pa.array(masked(words, "runs")).dictionary_encode(), "large": pa.array(texts, pa.large_string()), "view": pa.array(texts, pa.string_view())}))
write("doubled names", pa.table([pa.array(range(N), pa.int64()), pa.array(doubles), pa.array(texts), pa.array([v * 2 for v in doubles])], names=["step", "loss", "loss", "loss"]))
write("nulls", pa.table({"n": pa.nulls(N), "step": pa.array(range(N))}))
write("int96", pa.table({"t": pa.array([1500000000123456000 + 1000000 * i for i in range(N)], pa.timestamp("ns")), "x": pa.array(doubles)}), use_deprecated_int96_timestamps=True)
print(json.dumps(files))
`;

/**
 * Writes the same kinds of columns in every codec, encoding, page version and pattern of nulls that
 * pyarrow knows.
 */
export async function writeParquetFiles(folder: string): Promise<readonly WrittenTable[]> {
  return (await python(PARQUET, [folder])) as readonly WrittenTable[];
}

const ARROW = `${TELL}
import pyarrow.ipc as ipc
def masked(values): return [None if i % 5 == 2 else v for i, v in enumerate(values)]
def column(type, values, nulls=True): return pa.array(masked(values) if nulls else values, type)
R = range(N)
table = pa.table({
    "step": pa.array(R, pa.int64()), "i8": column(pa.int8(), [i % 100 - 50 for i in R]), "u16": column(pa.uint16(), [i * 200 for i in R]), "u32": pa.array([2**32 - 1 - i for i in R], pa.uint32()),
    "u64": column(pa.uint64(), [2**64 - 1 - 10000 * i for i in R]), "i64": column(pa.int64(), [-(2**60) + i for i in R]), "f16": column(pa.float16(), [np.float16(i / 8) for i in R]),
    "f32": pa.array([i / 3 for i in R], pa.float32()), "f64": column(pa.float64(), [i / 3 for i in R]), "b": column(pa.bool_(), [i % 3 == 0 for i in R]), "s": column(pa.string(), ["x" * (i % 20) for i in R]),
    "large": column(pa.large_string(), [str(i) for i in R]), "view": column(pa.string_view(), ["text of row %d" % i for i in R]), "word": column(pa.string(), [["a", "b"][i % 2] for i in R]).dictionary_encode(),
    "numbers": pa.array([i % 4 for i in R], pa.int32()).dictionary_encode(), "bytes": column(pa.binary(), [b"\\xff" * (i % 4) for i in R]), "fixed": column(pa.binary(2), [b"\\x01\\x02"] * N),
    "d32": column(pa.decimal32(7, 2), [D(i - 150) / 4 for i in R]), "d64": column(pa.decimal64(18, 3), [D(150 - i) / 8 for i in R]), "d128": column(pa.decimal128(30, 5), [D(i - 100) * 1000003 / 32 for i in R]),
    "d256": column(pa.decimal256(60, 1), [D("-1234567890123456789012345678901234567890.5") + i for i in R]), "date": column(pa.date32(), list(R)),
    "ts_s": column(pa.timestamp("s"), [1500000000 + i for i in R]), "ts_us": column(pa.timestamp("us", "UTC"), [1500000000123456 + i for i in R]), "ts_ns": column(pa.timestamp("ns"), [1500000000123456789 + i for i in R]),
    "t32": column(pa.time32("ms"), list(R)), "t64": column(pa.time64("us"), list(R)), "none": pa.nulls(N),
    "list": column(pa.list_(pa.float64()), [[i / 2, None, i] if i % 3 else [] for i in R]), "big": column(pa.large_list(pa.decimal128(10, 2)), [[D(i) / 4] for i in R]), "three": column(pa.list_(pa.float32(), 3), [[i, i + 1, i + 2] for i in R]),
    "matrix": column(pa.list_(pa.list_(pa.int64())), [[[i], [], [i, i]] for i in R]), "struct": pa.array([{"lr": 0.5, "tags": ["a"]} for i in R]),
})
for codec in [None, "lz4", "zstd"]:
    for form, writer in {"file": ipc.new_file, "stream": ipc.new_stream}.items():
        name = "types %s %s" % (codec, form)
        with writer(str(folder / (name + ".arrow")), table.schema, options=ipc.IpcWriteOptions(compression=codec)) as out:
            out.write_table(table, max_chunksize=90)
        files.append({"name": name, "rows": N, "columns": [{"name": n, "values": told(c)} for n, c in zip(table.column_names, table.columns)]})
print(json.dumps(files))
`;

/**
 * Writes one table of every type that Arrow has and that is read, as files and streams, packed and
 * not.
 */
export async function writeArrowTypes(folder: string): Promise<readonly WrittenTable[]> {
  return (await python(ARROW, [folder])) as readonly WrittenTable[];
}
