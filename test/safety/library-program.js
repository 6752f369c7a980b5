// A program that uses the library, for tests that end it at any time: it writes the run of the
// pipeline that it is given.
import { lastValueFrom } from 'rxjs';

const library = await import('../../dist/pipeline/node/library.js');
const [pipeline, files, pace] = process.argv.slice(2).map((text) => JSON.parse(text));

const operators = pipeline.operators.map(([name, ...args]) => library[name](...args));
const sinks = files.map((file) =>
  (file.endsWith('.arrow') ? library.arrowSink : library.parquetSink)(file, {
    columns: pipeline.columns ?? null,
    flushEvery: 20,
    onFlush: ({ rows }) => console.log(JSON.stringify({ event: 'flush', file, rows })),
  }),
);
const rows = library[pipeline.source](pipeline.options, pace === null ? {} : { pace });
console.log('{"event":"start"}');
await lastValueFrom([...operators, ...sinks].reduce((stream, each) => stream.pipe(each), rows));
