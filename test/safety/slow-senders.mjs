// Holds 2,000 connections to a server, sends a byte on each from time to time, and comes back where
// it is cut. Some come with the token, and read nothing of what they ask for.
//
//   node slow-senders.mjs PORT TOKEN
import { connect } from 'node:net';

const [, , port, token] = process.argv;
const host = `Host: 127.0.0.1:${port}\r\n`;
const starts = [
  'G',
  `GET / HTTP/1.1\r\n${host}X: `,
  `POST / HTTP/1.1\r\n${host}Content-Length: 100000\r\n\r\n`,
  `GET /data/run.parquet HTTP/1.1\r\n${host}Cookie: eos-token-${port}=${token}\r\n\r\n`,
];
const open = new Set();
let cut = 0;

function attack(i) {
  const socket = connect(Number(port), '127.0.0.1');
  open.add(socket);
  socket.on('error', () => {});
  socket.on('close', () => {
    open.delete(socket);
    if (++cut === 1000) console.log('a thousand were cut');
    setTimeout(attack, 500, i);
  });
  if (i % starts.length === 3) socket.pause();
  else socket.resume();
  socket.write(starts[i % starts.length]);
}

for (let i = 0; i < 2000; i++) attack(i);
setInterval(() => {
  for (const socket of open) if (socket.writable) socket.write('x');
}, 5000);
