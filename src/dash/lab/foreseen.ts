import type { Method, TableApi } from '../load/protocol.ts';
import type { LabApi, LabWorkerApi, Question, Renewed } from './lab-protocol.ts';

/**
 * What is asked of rows while they are drawn; not what somebody points at, nor what is saved.
 */
const FORESEEN: readonly Method[] = ['refresh', 'near', 'lines', 'path', 'extremes'];
/**
 * What is asked so long after a change is not of its first drawing, but of what follows at leisure,
 * in milliseconds.
 */
const FIRST_MS = 200;

const keyOf = (question: Question): string => JSON.stringify([question.method, question.args]);
const REFRESH = keyOf({ method: 'refresh', args: [] });

/** Who asks a worker of the lab. */
export type LabClient = LabApi & TableApi;

/**
 * Asks a worker of the lab so that each change comes with the answers to what was asked behind the
 * one before: a slider that moves is drawn again and again in the same way, and each question of
 * its own takes a turn of both threads.
 *
 * @param atLeisure whether nobody waits for what is drawn now
 * @param now the time in milliseconds
 */
export function foreseeing(
  worker: LabWorkerApi & TableApi,
  atLeisure: () => boolean,
  now: () => number = () => performance.now(),
): LabClient {
  /** What was asked since the last change. */
  let asked = new Map<string, Question>();
  let changedAt = Number.NEGATIVE_INFINITY;
  /** Answers that came with it and were not asked for yet. */
  let ready = new Map<string, unknown>();
  /** What the worker takes for told, and nobody has heard. */
  let unheard: unknown;

  function forget(): void {
    if (ready.has(REFRESH)) unheard = ready.get(REFRESH);
    ready = new Map();
  }

  async function changed(change: (questions: readonly Question[]) => Promise<Renewed>) {
    const questions = [...asked.values()];
    asked = new Map();
    forget();
    const { status, answers } = await change(questions);
    forget();
    for (const [i, answer] of answers.entries())
      if (answer) ready.set(keyOf(questions[i]!), answer.value);
    changedAt = now();
    return status;
  }

  async function ask(method: Method, given: readonly unknown[]): Promise<unknown> {
    // No server tells of a state of a run that is no file.
    const args = method === 'refresh' ? [] : given;
    const question = { method, args };
    const key = keyOf(question);
    if (now() - changedAt < FIRST_MS && !atLeisure()) asked.set(key, question);
    const known = ready.has(key);
    const answer = known
      ? ready.get(key)
      : await (worker[method] as (...all: readonly unknown[]) => Promise<unknown>)(...args);
    ready.delete(key);
    if (key !== REFRESH) return answer;
    const heard = answer ?? unheard;
    unheard = undefined;
    return heard;
  }

  const questions = FORESEEN.map((method) => [
    method,
    (...args: readonly unknown[]) => ask(method, args),
  ]);
  return {
    ...worker,
    ...(Object.fromEntries(questions) as Pick<TableApi, 'refresh'>),
    start: (recipe, to, from) => changed((all) => worker.start(all, recipe, to, from)),
    change: (options) => changed((all) => worker.change(all, options)),
    undo() {
      forget();
      return worker.undo();
    },
    play(speed, until) {
      forget();
      return worker.play(speed, until);
    },
  };
}

/**
 * Answers of a table to these questions; none where one cannot be answered any more. The table
 * takes over its rows as it is refreshed: without that there are answers to nothing else.
 */
export async function answersTo(
  table: TableApi,
  questions: readonly Question[],
): Promise<Renewed['answers']> {
  const first = questions.findIndex((question) => keyOf(question) === REFRESH);
  if (first < 0) return questions.map(() => undefined);
  const news = await answerTo(table, questions[first]!);
  return Promise.all(questions.map((each, i) => (i === first ? news : answerTo(table, each))));
}

async function answerTo(table: TableApi, { method, args }: Question) {
  try {
    const ask = table[method] as (...all: readonly unknown[]) => Promise<unknown>;
    return { value: await ask(...args) };
  } catch {
    return undefined;
  }
}
