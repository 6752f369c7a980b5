import { show } from '../core/show.ts';
import { isTarget, opensNames } from './byte-target.ts';
import { endingOf, saidFormat } from './endings.ts';

/**
 * Refuses what cannot be written to, and names whose ending says another format than `format`.
 * @param of the sink, as the message names it
 * @throws TypeError
 */
export function checkTarget(of: string, to: unknown, format: 'parquet' | 'arrow'): void {
  if (typeof to !== 'string') {
    if (typeof to === 'function' || isTarget(to)) return;
    throw new TypeError(
      `${of}: ${show(to)} is not a target; give a name, memoryTarget() or a target`,
    );
  }
  const refuse = (why: string) => {
    throw new TypeError(`${of}: ${show(to)} ${why}`);
  };
  if (to === '' || to.includes('\0')) refuse('is not the name of a file');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(to))
    refuse('is an address; only files of this computer can be written');
  const said = saidFormat(to);
  if (said && said.format !== format)
    refuse(
      `ends in ${said.ending}, but what is written is ${format}; name it ${endingOf(format)}` +
        (said.format === 'arrow' ? ', or use arrowSink' : '') +
        (said.format === 'parquet' ? ', or use parquetSink' : ''),
    );
  if (opensNames()) return;
  refuse('is a name, and only Node can write files; give a target, such as memoryTarget()');
}
