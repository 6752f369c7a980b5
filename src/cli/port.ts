import { UsageError } from './errors.ts';

/** @throws UsageError where the text is no port */
export function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UsageError(`--port: '${text}' is not a port; give a number from 0 to 65535`);
}
