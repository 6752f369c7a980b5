import { openLight } from './open-light.ts';
import { serveTable, type WorkerScope } from './serve-table.ts';

serveTable(self as unknown as WorkerScope, openLight);
