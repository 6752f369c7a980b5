import { connect } from '../load/client.ts';
import type { CheckApi } from './check-protocol.ts';
import CheckWorker from './check-worker.ts?worker&inline';

/** A worker that checks runs: loaded once somebody looks at the checks. */
export const startChecks = () => connect<CheckApi>(new CheckWorker(), ['check'], () => {});
