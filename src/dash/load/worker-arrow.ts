import { openArrow } from './arrow.ts';
import { serveTable, type WorkerScope } from './serve-table.ts';

serveTable(self as unknown as WorkerScope, openArrow);
