// npm run bench [-- --only W1,W4] [--rounds 5] [--quick] [--json]
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describe, describeMachine, root, whatLacks } from './machine.ts';
import { measure } from './measure.ts';
import { asText, reportWork, type WorkReport } from './report.ts';
import { kernel, type Work, works } from './works.ts';

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
}

async function main(): Promise<void> {
  const { only, rounds, quick, json } = options();
  const all = works(quick);
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

function options(): { only: string[] | undefined; rounds: number; quick: boolean; json: boolean } {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds);
  if (!(Number.isInteger(rounds) && rounds > 0))
    throw new RangeError(`--rounds ${values.rounds}: give 1, 2, …`);
  return { only: values.only?.split(','), rounds, quick: values.quick, json: values.json };
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
