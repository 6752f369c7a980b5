// The page begins with what takes longest: the worker that reads files and the list of runs are
// under way while the rest of the page, which is ten times as large, is still compiled.
import './style.css';
import { startReader } from './load/client.ts';
import { askForRuns } from './runs/run-list.ts';

startReader();
askForRuns();
void import('./main.ts').then(({ start }) => start());
