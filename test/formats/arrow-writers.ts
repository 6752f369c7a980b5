import { python } from '../setup/parts.ts';

/** Rows of every file. */
export const ROWS = 500;
/** What stands in row i. */
export const expected = {
  loss: (i: number) => (i % 50 === 7 ? null : 2 / (1 + i)),
  /** The largest of the row's eigenvalues; every 25th row has none. */
  sharpness: (i: number) => (i % 25 === 3 ? null : 10 + i / 16),
  phase: (i: number) => `phase ${i < 200 ? 'one' : 'two'} of a long name`,
};

const WRITE = `
import sys, json, pandas as pd, polars as pl, pyarrow as pa, pyarrow.ipc as ipc
from pathlib import Path
folder = Path(sys.argv[1])
n = ${ROWS}
step = list(range(n))
loss = [None if i % 50 == 7 else 2 / (1 + i) for i in range(n)]
top = [None if i % 25 == 3 else 10 + i / 16 for i in range(n)]
eigenvalues = [None if t is None else [t / 2, t, None] for t in top]
phase = ["phase %s of a long name" % ("one" if i < 200 else "two") for i in range(n)]
params = [{"lr": 0.1, "tags": ["a", str(i)]} for i in range(n)]

flat = pd.DataFrame({"step": step, "loss": loss, "sharpness": top, "phase": phase})
for codec in ["lz4", "zstd", "uncompressed"]:
    flat.to_feather(folder / ("pandas %s.arrow" % codec), compression=codec)
flat.to_feather(folder / "pandas default.arrow")
flat.assign(phase=flat["phase"].astype("category")).to_feather(folder / "pandas category.arrow")

double = pa.float64()
kinds = {
    "list": (pa.list_(double), eigenvalues),
    "large list": (pa.large_list(double), eigenvalues),
    "fixed list": (pa.list_(double, 3), eigenvalues),
    "float list": (pa.list_(pa.float32()), eigenvalues),
}
for kind, (type, values) in kinds.items():
    table = pa.table({
        "step": pa.array(step, pa.int64()),
        "loss": pa.array(loss, double),
        "sharpness": pa.array(values, type),
        "phase": pa.array(phase, pa.large_string()).dictionary_encode() if kind == "list" else pa.array(phase, pa.large_string()),
        "params": pa.array(params),
        "matrix": pa.array([[[1.0], [2.0, 3.0]]] * n),
        "words": pa.array([["x", "y"]] * n, pa.list_(pa.dictionary(pa.int8(), pa.string()))),
        "pairs": pa.array([[("a", 1)]] * n, pa.map_(pa.string(), pa.int64())),
        "nothing": pa.nulls(n),
        "at": pa.array(step, pa.timestamp("us")),
        "view": pa.array(phase, pa.string_view()),
    })
    for codec in [None, "lz4", "zstd"]:
        options = ipc.IpcWriteOptions(compression=codec)
        for form, writer in {"file": ipc.new_file, "stream": ipc.new_stream}.items():
            with writer(str(folder / ("pyarrow %s %s %s.arrow" % (kind, codec, form))), table.schema, options=options) as out:
                out.write_table(table, max_chunksize=200)

frame = pl.DataFrame({"step": step, "loss": loss, "phase": phase, "params": params}).with_columns(
    pl.Series("sharpness", eigenvalues, dtype=pl.List(pl.Float64)),
    pl.Series("kind", phase).cast(pl.Categorical),
)
frame.write_ipc(folder / "polars default.arrow")
frame.write_ipc_stream(folder / "polars stream.arrow")
for codec in ["lz4", "zstd", "uncompressed"]:
    frame.write_ipc(folder / ("polars %s.arrow" % codec), compression=codec)
    frame.write_ipc_stream(folder / ("polars %s stream.arrow" % codec), compression=codec)
frame.write_ipc(folder / "polars oldest.arrow", compat_level=pl.CompatLevel.oldest(), compression="zstd")
print(json.dumps(sorted(path.name for path in folder.iterdir())))
`;

/**
 * Writes the same rows as pandas, pyarrow and Polars write them, in every way that they do. Returns
 * the names.
 */
export async function writeArrowFiles(folder: string): Promise<readonly string[]> {
  return (await python(WRITE, [folder])) as readonly string[];
}
