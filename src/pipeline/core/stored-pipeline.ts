import type { MonoTypeOperatorFunction } from 'rxjs';
import type { Batch } from './batch.ts';
import { type Checkpoint, CheckpointError } from './checkpoint.ts';
import type { AnyOperator } from './operator.ts';
import type { Run } from './run.ts';

/** What a file tells of the pipeline that made it. */
export interface StoredPipeline {
  /** Names of its columns. */
  readonly columns: readonly string[];
  /** The stages whose state it holds, in their order, the source first. */
  readonly stages: Checkpoint['stages'];
}

/** An operator as a link of a chain that is put together anew. */
export interface Link {
  readonly name: string;
  readonly needs: readonly string[];
  readonly adds: readonly string[];
  /** Must only be put behind what adds the columns that it needs. */
  readonly apply: (source: never) => unknown;
}

export function linkOf<R extends Run>(operator: AnyOperator<R>): Link {
  const { name, needs, adds } = operator.definition;
  return {
    name,
    needs: Object.keys(needs),
    adds: adds.map((column) => column.name),
    apply: operator as unknown as Link['apply'],
  };
}

/**
 * The links that make such a file: the stages whose state is stored, in that order, each behind
 * what adds the columns that it needs, and last what adds the columns of the file that are not
 * there yet. Operators without a state look at one row at a time, so their place does not matter.
 *
 * @param given columns of the source
 * @param known the links that there are
 * @throws CheckpointError where a stage or a column is not known
 */
export function storedLinks(
  { columns, stages }: StoredPipeline,
  given: readonly string[],
  known: readonly Link[],
): readonly Link[] {
  const chain: Link[] = [];
  const there = new Set(given);
  const add = (link: Link) => {
    for (const name of link.needs) provide(name);
    chain.push(link);
    for (const name of link.adds) there.add(name);
  };
  const provide = (name: string) => {
    if (there.has(name)) return;
    const link = known.find(({ adds }) => adds.includes(name));
    if (!link) throw new CheckpointError(`no operator of eos adds its column ${name}`);
    add(link);
  };
  for (const stage of Object.keys(stages).slice(1)) {
    const link = known.find(({ name }) => name === stage);
    if (!link) throw new CheckpointError(`its operator ${stage} is not one of eos`);
    add(link);
  }
  for (const name of columns) provide(name);
  return chain;
}

/** These links without those that only add columns which nobody reads. */
export function neededLinks(links: readonly Link[], columns: readonly string[]): readonly Link[] {
  const wanted = new Set(columns);
  const needed = links.toReversed().filter(({ adds, needs }) => {
    if (adds.length > 0 && !adds.some((name) => wanted.has(name))) return false;
    for (const name of needs) wanted.add(name);
    return true;
  });
  return needed.reverse();
}

/** All of these links, one behind the other. */
export function throughLinks<B extends Batch<unknown>>(
  links: readonly Link[],
): MonoTypeOperatorFunction<B> {
  return (rows) =>
    links.reduce((stream, { apply }) => stream.pipe(apply as MonoTypeOperatorFunction<B>), rows);
}
