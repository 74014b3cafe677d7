'use strict';
// A hawser in a directory of its own, and what a test asks of it. Waits are for conditions, never for time.
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

const hawser = process.env.HAWSER;
const DEADLINE_MS = 20000;

async function until(what, condition) {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`still not so: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

// What a run that ends by itself says.
function say(...words) {
  const { status, stdout, stderr } = spawnSync(hawser, words, { encoding: 'utf8', timeout: DEADLINE_MS });
  return { status, stdout, stderr };
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

// `where`: a port, or the path of a unix socket.
function get(where) {
  const target = typeof where === 'number' ? { host: '127.0.0.1', port: where } : { socketPath: where };
  return new Promise((resolve, reject) => {
    const request = http.get({ ...target, agent: false, path: '/' }, (response) => {
      let body = '';
      response.on('data', (bytes) => (body += bytes));
      response.on('end', () => resolve({ status: response.statusCode, body }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.setTimeout(DEADLINE_MS, () => request.destroy(new Error('no answer')));
  });
}

const isOpen = (where) => get(where).then(() => true, () => false);

function directory(t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'hawser-cli-'));
  t.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

const isAlive = (pid) => {
  try {
    return !fs.readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};

// A directory with hawser.conf, and the hawser that serves it, in a session without a terminal; the test's end ends
// both.
async function start(t, config, isDaemon = false) {
  const home = directory(t);
  const at = (name) => path.join(home, name);
  const write = (text) => fs.writeFileSync(at('hawser.conf'), text);
  const read = (name) => (fs.existsSync(at(name)) ? fs.readFileSync(at(name), 'utf8') : '');
  write(config);
  const child = spawn(hawser, ['-c', at('hawser.conf')], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const self = { child, at, write, read, stderr: '' };
  child.stderr.on('data', (bytes) => (self.stderr += bytes));
  self.ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
  self.signal = (name) => child.kill(name);
  self.tell = (word) => say('-s', word, '-c', at('hawser.conf'));
  self.cleanEnd = async () => {
    const { code, signal } = await self.ended;
    if (code !== 0) throw new Error(`exit ${code} ${signal}: ${self.stderr}`);
  };
  t.after(async () => {
    if (isDaemon && isAlive(Number(read('hawser.pid')))) process.kill(Number(read('hawser.pid')), 'SIGKILL');
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await self.ended;
  });
  return self;
}

// A pid file, a log, and one site that answers `text`; `more` stands in the http block, `top` at the top.
const config = (where, text, more = '', top = '') =>
  `pid hawser.pid; error_log error.log notice; worker_processes 2; ${top}
http { access_log off; server { listen ${typeof where === 'number' ? '127.0.0.1:' : ''}${where};
  location / { return 200 "${text}"; } } ${more} }
`;

const running = (program) => until('pid file', () => program.read('hawser.pid'));

module.exports = { hawser, until, say, freePort, get, isOpen, isAlive, directory, start, config, running };
