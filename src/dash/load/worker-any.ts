import { openAny } from './open-any.ts';
import { serveTable, type WorkerScope } from './serve-table.ts';

serveTable(self as unknown as WorkerScope, openAny);
