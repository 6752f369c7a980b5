import { rmSync } from 'node:fs';

/** Removes a folder; a process that was killed, or its children, may write there once more. */
export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}
