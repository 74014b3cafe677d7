'use strict';
const assert = require('node:assert');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { test } = require('node:test');
const { execFileSync, spawn, spawnSync } = require('node:child_process');
const { hawser, until, freePort, get, isOpen, isAlive, directory, start, config, running } = require('./program');

// A backend that holds every answer until it is let go.
async function holder(t) {
  const held = [];
  const server = http.createServer((request, response) => held.push(response));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    held.forEach((response) => response.destroy());
    server.close();
  });
  return { held, port: server.address().port, release: () => held.splice(0).forEach((r) => r.end('late')) };
}

const passing = (port, backend) =>
  `server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${backend}; } }`;

test('pid file, answer, and a clean end', async (t) => {
  const port = await freePort();
  const program = await start(t, config(port, 'one'));
  assert.strictEqual(Number(await running(program)), program.child.pid);
  assert.deepStrictEqual(await get(port), { status: 200, body: 'one' });
  program.signal('SIGTERM');
  await program.cleanEnd();
  assert.strictEqual(fs.existsSync(program.at('hawser.pid')), false);
});

test('no pid file when the configuration is wrong', async (t) => {
  const program = await start(t, 'pid hawser.pid; http { serve { } }');
  assert.strictEqual((await program.ended).code, 1);
  assert.strictEqual(fs.existsSync(program.at('hawser.pid')), false);
});

test('directories for temporary files are made, for the user, or said to be impossible', async (t) => {
  const port = await freePort();
  const isRoot = process.getuid() === 0;
  const serve = (paths) => `${isRoot ? 'user nobody nogroup;' : ''} pid hawser.pid; events { }
    http { ${paths} server { listen 127.0.0.1:${port}; return 200 up; } }`;
  const program = await start(t, serve('proxy_temp_path temp; client_body_temp_path bodies 1 2;'));
  fs.chmodSync(program.at('.'), 0o755);
  await running(program);
  for (const name of ['temp', 'bodies']) {
    const made = fs.statSync(program.at(name));
    assert.strictEqual(made.mode & 0o777, 0o700);
    assert.strictEqual(made.uid, isRoot ? Number(execFileSync('id', ['-u', 'nobody'])) : process.getuid());
  }
  fs.mkdirSync(program.at('file'));
  fs.writeFileSync(program.at('file/one'), '');
  const other = await start(t, serve('proxy_temp_path no/such/temp;'));
  assert.strictEqual((await other.ended).code, 1);
  await until('the reason', () => /\[emerg\] mkdir\(\) ".*\/no\/such\/temp" failed \(2: No such file or directory\)/.test(other.stderr));
  const third = await start(t, serve(`proxy_temp_path ${program.at('file/one')};`));
  assert.strictEqual((await third.ended).code, 1);
  await until('the reason', () => /\[emerg\] mkdir\(\) ".*\/file\/one" failed \(20: Not a directory\)/.test(third.stderr));
});

test('the mended text of a TCP server outside of stream serves as it is shown', async (t) => {
  const backend = net.createServer((socket) => socket.end('from the node')).listen(0, '127.0.0.1');
  await new Promise((resolve) => backend.on('listening', resolve));
  t.after(() => backend.close());
  const port = await freePort();
  const wrong = await start(t, `tream nodes {
    server 127.0.0.1:${backend.address().port};
    check interval=3000 rise=2 fall=5 timeout=1000;
}
  server { listen 127.0.0.1:${port}; server_name _; tcp_nodelay on; proxy_pass nodes; }
}
`);
  assert.strictEqual((await wrong.ended).code, 1);
  const mended = await until('the mended text', () => /^  stream \{\n[^]*?^  \}\n/m.exec(wrong.stderr));
  const program = await start(t, `pid hawser.pid;\n${mended[0]}`);
  await running(program);
  const heard = await new Promise((resolve, reject) => {
    let text = '';
    net.connect(port, '127.0.0.1').on('data', (bytes) => (text += bytes)).on('end', () => resolve(text)).on('error', reject);
  });
  assert.strictEqual(heard, 'from the node');
});

test('the one-liner says what it serves and where', async (t) => {
  const port = await freePort();
  const status = await freePort();
  const child = spawn(hawser, ['-l', `127.0.0.1:${port}`, '-a', `:${status}`, 'http://127.0.0.1:1', '127.0.0.1:2']);
  t.after(() => child.kill('SIGKILL'));
  let out = '';
  child.stdout.on('data', (bytes) => (out += bytes));
  await until('two lines', () => out.split('\n').length > 2);
  assert.strictEqual(out, `hawser serves http://127.0.0.1:${port}/ -> 127.0.0.1:1, 127.0.0.1:2\n` +
    `status page: http://127.0.0.1:${status}/ (for Prometheus: /metrics, JSON: /api)\n`);
  const ended = new Promise((resolve) => child.on('exit', resolve));
  child.kill('SIGINT');
  assert.strictEqual(await ended, 0);
});

test('the one-liner speaks TLS to all of its servers, or to none', async (t) => {
  const port = await freePort();
  const child = spawn(hawser, ['-l', `127.0.0.1:${port}`, '-a', 'off', 'https://127.0.0.1:1', 'wss://localhost:2']);
  t.after(() => child.kill('SIGKILL'));
  let out = '';
  child.stdout.on('data', (bytes) => (out += bytes));
  await until('a line', () => out.includes('\n'));
  assert.strictEqual(out, `hawser serves http://127.0.0.1:${port}/ -> https://127.0.0.1:1, https://localhost:2\n`);
  const ended = new Promise((resolve) => child.on('exit', resolve));
  child.kill('SIGINT');
  assert.strictEqual(await ended, 0);
  const mixed = spawnSync(hawser, ['-t', 'https://127.0.0.1:1', '127.0.0.1:2'], { encoding: 'utf8' });
  assert.strictEqual(mixed.status, 1);
  assert.match(mixed.stderr, /"127\.0\.0\.1:2" is without TLS, and the servers before it have it/);
});

test('reload: a new answer, a new listener, one less', async (t) => {
  const [first, second] = [await freePort(), await freePort()];
  const program = await start(t, config(first, 'one'));
  await running(program);
  program.write(config(first, 'two', `server { listen 127.0.0.1:${second}; return 200 "second"; }`));
  assert.strictEqual(program.tell('reload').status, 0);
  await until('second listener', () => isOpen(second));
  await until('new answer', async () => (await get(first)).body === 'two');
  program.write(config(second, 'three'));
  program.signal('SIGHUP');
  await until('first listener closed', async () => !(await isOpen(first)));
  await until('new answer', async () => (await get(second)).body === 'three');
  program.signal('SIGTERM');
  await program.cleanEnd();
});

test('reload: an error changes nothing and is in the log', async (t) => {
  const [port, other] = [await freePort(), await freePort()];
  const program = await start(t, config(port, 'one'));
  await running(program);
  const refused = () => program.read('error.log').includes('configuration not reloaded');
  program.write('http { serve { } }');
  program.signal('SIGHUP');
  await until('refusal', refused);
  assert.match(program.read('error.log'), /\[emerg\] .*serve.* in .*hawser\.conf:1/);
  assert.strictEqual((await get(port)).body, 'one');

  const busy = net.createServer();
  await new Promise((resolve) => busy.listen(0, '127.0.0.1', resolve));
  t.after(() => busy.close());
  fs.truncateSync(program.at('error.log'));
  program.write(config(other, 'two', `server { listen 127.0.0.1:${busy.address().port}; return 204; }`));
  program.signal('SIGHUP');
  await until('refusal', refused);
  assert.match(program.read('error.log'), /Address already in use/);
  assert.strictEqual((await get(port)).body, 'one');
  assert.strictEqual(await isOpen(other), false);
  program.signal('SIGTERM');
  await program.cleanEnd();
});

test('reload: the number of threads stays, which is said', async (t) => {
  const port = await freePort();
  const program = await start(t, config(port, 'one'));
  await running(program);
  program.write(config(port, 'two').replace('worker_processes 2', 'worker_processes 3'));
  program.signal('SIGHUP');
  await until('new answer', async () => (await get(port)).body === 'two');
  assert.match(program.read('error.log'), /\[warn\] .*"worker_processes" asks for 3 threads, and 2 serve: their number changes at the next start/);
  program.signal('SIGTERM');
  await program.cleanEnd();
});

test('20 reloads under requests: none is lost', async (t) => {
  const port = await freePort();
  const program = await start(t, config(port, 'n'));
  await running(program);
  let isOver = false;
  const asking = Array.from({ length: 4 }, async () => {
    let count = 0;
    for (; !isOver; count++) {
      const { status, body } = await get(port);
      assert.strictEqual(status, 200);
      assert.match(body, /^n\d*$/);
    }
    return count;
  });
  for (let i = 1; i <= 20; i++) {
    program.write(config(port, `n${i}`));
    program.signal('SIGHUP');
    await until(`answer ${i}`, async () => (await get(port)).body === `n${i}`);
  }
  isOver = true;
  for (const count of await Promise.all(asking)) assert.ok(count > 0);
  program.signal('SIGTERM');
  await program.cleanEnd();
});

test('logs are reopened, and move with the configuration like the pid file', async (t) => {
  const port = await freePort();
  const program = await start(t, config(port, 'x'));
  await running(program);
  fs.renameSync(program.at('error.log'), program.at('old.log'));
  program.signal('SIGUSR1');
  await until('a new file', () => fs.existsSync(program.at('error.log')));
  program.signal('SIGUSR1');
  await until('lines in it', () => program.read('error.log').includes('SIGUSR1'));
  program.write(config(port, 'x').replace('error.log', 'other.log').replace('hawser.pid', 'other.pid'));
  program.signal('SIGHUP');
  await until('lines in the other', () => program.read('other.log').includes('configuration reloaded'));
  assert.strictEqual(Number(await until('the other pid file', () => program.read('other.pid'))), program.child.pid);
  assert.strictEqual(fs.existsSync(program.at('hawser.pid')), false);
  program.signal('SIGTERM');
  await program.cleanEnd();
});

test('SIGQUIT waits for what is under way', async (t) => {
  const port = await freePort();
  const backend = await holder(t);
  const program = await start(t, config(await freePort(), 'x', passing(port, backend.port)));
  await running(program);
  const answer = get(port);
  await until('request at the backend', () => backend.held.length);
  assert.strictEqual(program.tell('quit').status, 0);
  await until('no more connections', () => new Promise((resolve) => {
    const probe = net.connect(port, '127.0.0.1', () => {
      probe.destroy();
      resolve(false);
    });
    probe.on('error', () => resolve(true));
  }));
  assert.strictEqual(program.child.exitCode, null);
  backend.release();
  assert.deepStrictEqual(await answer, { status: 200, body: 'late' });
  await program.cleanEnd();
});

test('SIGQUIT waits no longer than worker_shutdown_timeout', async (t) => {
  const port = await freePort();
  const backend = await holder(t);
  const top = 'worker_shutdown_timeout 50ms;';
  const program = await start(t, config(await freePort(), 'x', passing(port, backend.port), top));
  await running(program);
  const answer = get(port).then(() => 'answered', () => 'closed');
  await until('request at the backend', () => backend.held.length);
  program.signal('SIGQUIT');
  await program.cleanEnd();
  await answer;
});

for (const signals of [['SIGQUIT', 'SIGQUIT'], ['SIGQUIT', 'SIGTERM'], ['SIGTERM']])
  test(`${signals.join(' and ')}: no waiting`, async (t) => {
    const port = await freePort();
    const backend = await holder(t);
    const program = await start(t, config(await freePort(), 'x', passing(port, backend.port)));
    await running(program);
    const answer = get(port).then(() => 'answered', () => 'closed');
    await until('request at the backend', () => backend.held.length);
    program.signal(signals[0]);
    if (signals[1]) {
      await until('shutting down', () => program.read('error.log').includes('gracefully shutting down'));
      program.signal(signals[1]);
    }
    await program.cleanEnd();
    await answer;
  });

test('SIGWINCH closes the door and stays, SIGHUP opens it again; SIGUSR2 is declined', async (t) => {
  const port = await freePort();
  const program = await start(t, config(port, 'x'));
  await running(program);
  program.signal('SIGUSR2');
  await until('declined', () => program.read('error.log').includes('a new binary cannot take over'));
  assert.strictEqual((await get(port)).body, 'x');
  program.signal('SIGWINCH');
  await until('closed', async () => !(await isOpen(port)));
  program.signal('SIGHUP');
  await until('open again', () => isOpen(port));
  program.signal('SIGWINCH');
  await until('closed again', async () => !(await isOpen(port)));
  assert.strictEqual(program.child.exitCode, null);
  program.signal('SIGQUIT');
  await program.cleanEnd();
});

test('daemon on: the starter ends, the pid file names who stays', async (t) => {
  const port = await freePort();
  const program = await start(t, config(port, 'x', '', 'daemon on;'), true);
  await program.cleanEnd();
  const pid = Number(await running(program));
  assert.notStrictEqual(pid, program.child.pid);
  await until('answer', () => isOpen(port));
  assert.strictEqual(program.tell('stop').status, 0);
  await until('end', () => !isAlive(pid));
  assert.strictEqual(fs.existsSync(program.at('hawser.pid')), false);
});

test('unix sockets: served, taken over when stale, removed at the end', async (t) => {
  const socket = path.join(directory(t), 's.sock');
  const first = await start(t, config(`unix:${socket}`, 'first'));
  await running(first);
  assert.strictEqual((await get(socket)).body, 'first');
  first.signal('SIGKILL');
  await first.ended;
  const second = await start(t, config(`unix:${socket}`, 'second'));
  await running(second);
  assert.strictEqual((await get(socket)).body, 'second');
  second.signal('SIGTERM');
  await second.cleanEnd();
  assert.strictEqual(fs.existsSync(socket), false);
});

const isRoot = process.getuid() === 0;

test('user: of root only the right to low ports is left', { skip: !isRoot && 'only root can' }, async (t) => {
  const port = await freePort();
  const program = await start(t, config(port, 'one', '', 'user nobody nogroup; worker_priority 3; env SAID=here;'));
  await running(program);
  await until('an answer', () => isOpen(port));
  const status = fs.readFileSync(`/proc/${program.child.pid}/status`, 'utf8');
  const uid = fs.readFileSync('/etc/passwd', 'utf8').match(/^nobody:[^:]*:(\d+)/m)[1];
  assert.match(status, new RegExp(`^Uid:\\t${uid}\\t${uid}\\t${uid}\\t${uid}$`, 'm'));
  assert.match(status, /^CapEff:\t0000000000000400$/m);
  fs.chmodSync(program.at(''), 0o755);
  program.signal('SIGTERM');
  await program.cleanEnd();
  assert.strictEqual(program.read('hawser.pid'), '');
});

test('what concerns the process is verified with the configuration', { skip: !isRoot && 'only root can' }, async (t) => {
  const program = await start(t, config(await freePort(), 'x', '', 'user nobody-here;'));
  assert.strictEqual((await program.ended).code, 1);
  assert.match(program.stderr, /^nginx: \[emerg\] getpwnam\("nobody-here"\) failed in .*hawser\.conf:1\n/m);
  assert.strictEqual(fs.existsSync(program.at('hawser.pid')), false);
});

test('working_directory and worker_cpu_affinity', async (t) => {
  const port = await freePort();
  const program = await start(t, config(port, 'x', '', 'working_directory /tmp; worker_cpu_affinity 1; '));
  await running(program);
  assert.strictEqual(fs.readlinkSync(`/proc/${program.child.pid}/cwd`), '/tmp');
  const tasks = `/proc/${program.child.pid}/task`;
  const bound = () => fs.readdirSync(tasks).filter((id) => /Cpus_allowed_list:\t0$/m.test(fs.readFileSync(`${tasks}/${id}/status`, 'utf8')));
  await until('two threads on the first processor', () => bound().length >= 2);
});
