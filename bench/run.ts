// npm run bench [-- --only W1,W4] [--rounds 5] [--quick] [--json] [--old FOLDER]
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { describe, describeMachine, root, whatLacks } from './machine.ts';
import { measure } from './measure.ts';
import { asText, reportWork, type WorkReport } from './report.ts';
import { againstOlder, kernel, type Work, works } from './works.ts';

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
}

async function main(): Promise<void> {
  const { only, rounds, quick, json, old } = options();
  const all = old === undefined ? works(quick) : againstOlder(works(quick), old);
  if (old !== undefined) compileBench(old);
  const unknown = only?.filter((name) => !all.some((work) => work.name === name)) ?? [];
  if (unknown.length > 0) {
    throw new RangeError(
      `--only ${unknown.join(',')}: there are ${all.map(({ name }) => name).join(', ')}`,
    );
  }
  const machine = describeMachine();
  if (machine.cc !== null) {
    const source = join(root, 'bench/peers/kernel.c');
    execFileSync('cc', ['-O3', '-march=native', '-o', kernel, source, '-lm'], { stdio: 'inherit' });
  }
  const print = json ? () => {} : (text: string) => process.stdout.write(`${text}\n`);
  print(`${describe(machine)}\nmedians of ${rounds} rounds, contenders in turn\n`);

  const reports: WorkReport[] = [];
  for (const work of all) {
    if (only && !only.includes(work.name)) continue;
    try {
      const report = await runWork(work, rounds, (part) => whatLacks(machine, part));
      reports.push(report);
      print(asText(report));
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
      process.exitCode = 1;
    }
  }
  if (json)
    process.stdout.write(`${JSON.stringify({ machine, rounds, works: reports }, null, 2)}\n`);
}

/** What does the works of an older version: it is built by the version itself. */
function compileBench(folder: string): void {
  if (!existsSync(join(folder, 'bin/run.js')))
    throw new RangeError(
      `--old ${folder}: no version stands there; \`node scripts/compare-with.js TAG ` +
        `${folder}\` makes one`,
    );
  execFileSync(join(folder, 'node_modules/.bin/tsc'), ['-p', 'bench/tsconfig.json'], {
    cwd: folder,
    stdio: 'inherit',
  });
}

interface Options {
  readonly only: readonly string[] | undefined;
  readonly rounds: number;
  readonly quick: boolean;
  readonly json: boolean;
  readonly old: string | undefined;
}

function options(): Options {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      old: { type: 'string' },
    },
  });
  const rounds = Number(values.rounds);
  if (!(Number.isInteger(rounds) && rounds > 0))
    throw new RangeError(`--rounds ${values.rounds}: give 1, 2, …`);
  const { only, quick, json, old } = values;
  return { only: only?.split(','), rounds, quick, json, old: old && resolve(old) };
}

async function runWork(
  work: Work,
  rounds: number,
  lacks: (needs: Work['contenders'][number]['needs']) => string | undefined,
): Promise<WorkReport> {
  const absent = work.contenders.flatMap(({ name, needs }) => {
    const why = lacks(needs);
    return why === undefined ? [] : [{ name, why }];
  });
  const present = work.contenders.filter(({ needs }) => lacks(needs) === undefined);
  const samples = await measure(work, present, rounds, (message) =>
    process.stderr.write(`${message}\n`),
  );
  return reportWork(work, samples, absent);
}
