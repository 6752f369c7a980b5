import { Agent, request } from 'node:http';
import { openTable } from '../../src/pipeline/formats/open-table.ts';

/** How a reader makes sure that all it reads is of one state of the file. */
export type Condition = 'if-match' | 'if-range' | 'none';

/** Looks at a growing file as other programs do: its size, its footer, and some of its rows. */
export function growingReader(url: string, condition: Condition) {
  // A connection of its own: of that the server knows which state it goes on with.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (method: string, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }>(
      (resolve, reject) => {
        const asked = request(url, { agent, method, headers }, (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part) => parts.push(part));
          response.on('error', reject);
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(parts),
            }),
          );
        });
        asked.on('error', reject);
        asked.end();
      },
    );

  return {
    /**
     * @returns the rows of the state it saw @throws where anything in it is not as it was written
     */
    async look(): Promise<number> {
      const head = await ask('HEAD');
      const { etag } = head.headers;
      const byteLength = Number(head.headers['content-length']);
      if (head.status !== 200) throw new Error(`HEAD: ${head.status}`);
      const table = await openTable({
        byteLength,
        async slice(start, end = byteLength) {
          const answer = await ask('GET', {
            range: `bytes=${start}-${end - 1}`,
            ...(condition === 'none' ? {} : { [condition]: String(etag) }),
          });
          if (answer.status !== 206 || answer.headers.etag !== etag)
            throw new Error(`bytes ${start} to ${end} of ${etag}: ${answer.status}`);
          if (answer.body.length !== end - start) throw new Error('another length than asked for');
          return new Uint8Array(answer.body).buffer;
        },
      });
      const place = table.fields.findIndex(({ name }) => name === 'step');
      const last = table.groups.length - 1;
      let row = 0;
      for (const [index, group] of table.groups.entries()) {
        if (index === 0 || index >= last - 1) {
          const steps = await table.read(place, index);
          for (let i = 0; i < steps.length; i++)
            if (Number(steps[i]) !== row + i) throw new Error(`step ${steps[i]} in row ${row + i}`);
        }
        row += group.rows;
      }
      return row;
    },
    close: () => agent.destroy(),
  };
}
