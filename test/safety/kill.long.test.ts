import { describe, expect, test } from 'vitest';
import { fastFolder, type Kill, killAndResume, referenceRun, WAYS } from './killed-run.ts';

/** A dozen here; `node scripts/kill.js` does 300. */
const KILLS = Number(process.env.EOS_KILLS ?? 12);

describe('SIGKILL at any time', () => {
  const each = Math.ceil(KILLS / WAYS.length);

  test.each(WAYS)(
    '$name: nothing acknowledged is lost, and the resumed run is the very run',
    async (way) => {
      const cwd = fastFolder();
      const reference = await referenceRun(way, cwd);
      const kills: Kill[] = [];
      for (let i = 0; i < each; i++) {
        // Spread over the run, and a little beyond its end.
        kills.push(await killAndResume(reference, cwd, (1.05 * (i + Math.random())) / each));
      }
      const sum = (key: keyof Kill) => kills.reduce((total, kill) => total + kill[key], 0);
      console.log(
        `${way.name}: ${each} kills, ${sum('acknowledged')} rows acknowledged, ${sum('recovered')} recovered, ${sum('untouched')} files whole or empty`,
      );
      expect(kills).toHaveLength(each);
    },
    60_000 + each * 120_000,
  );
});
