import { serve, type WorkerScope } from '../load/serve-table.ts';
import type { SaveApi } from './lab-protocol.ts';
import { saveRun } from './save-run.ts';

const api: SaveApi = { save: saveRun };

serve(self as unknown as WorkerScope, api);
