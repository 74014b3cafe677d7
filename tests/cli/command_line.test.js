'use strict';
const assert = require('node:assert');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { test } = require('node:test');
const { say, freePort, directory, config } = require('./program');

function file(t, name, text) {
  const made = path.join(directory(t), name);
  fs.writeFileSync(made, text);
  return made;
}

test('versions and help', () => {
  assert.match(say('-v').stderr, /^hawser version: hawser\/\d+\.\d+\.\d+\n$/);
  assert.match(say('--version').stdout, /^hawser version: hawser\//);
  assert.match(say('-V').stderr, /^nginx version: nginx\/1\.31\.\d+ \(spoken by hawser\/[\d.]+\)\n/);
  assert.match(say('-V').stderr, /\nconfigure arguments: --/);
  for (const word of ['-h', '-?', '--help']) assert.match(say(word).stdout, /^hawser: reverse proxy/);
  assert.strictEqual(say('-v').status, 0);
});

test('what is not understood is said, and fails', () => {
  for (const [words, text] of [
    [['-x'], /invalid option: "x"/],
    [['-s', 'halt'], /stop, quit, reload, reopen/],
    [['-c'], /option "-c" requires file name/],
    [['run', '-n', '4', '--', 'node', 'x.js'], /"hawser run" is not supported/],
    [['convert', 'haproxy.cfg'], /"hawser convert" is not supported/],
    [['-c', '/nonexistent/x.conf'], /No such file or directory/],
    [['-a', 'off', 'http://'], /^hawser: \[emerg\] /],
  ]) {
    const { status, stderr } = say(...words);
    assert.strictEqual(status, 1, words.join(' '));
    assert.match(stderr, text);
  }
});

test('-t says what was understood', (t) => {
  const conf = file(t, 'n.conf', `http {
    upstream nodes { hash $remote_addr consistent; server 127.0.0.1:1; server 127.0.0.1:2; server 127.0.0.1:3; }
    server { listen 127.0.0.1:8123; server_name a.example; location / { proxy_pass http://nodes; } }
    server { listen 127.0.0.1:8123; server_name *.b.example; location / { return 204; } }
    server { listen 127.0.0.1:8124; return 204; } }`);
  const { status, stdout, stderr } = say('-t', '-c', conf);
  assert.strictEqual(status, 0, stderr);
  assert.strictEqual(stdout, `listen 127.0.0.1:8123 -> 2 sites
listen 127.0.0.1:8124 -> 1 site
upstream nodes: 3 servers, hash consistent
`);
  assert.match(stderr, new RegExp(
    `nginx: the configuration file ${conf} syntax is ok\nnginx: configuration file ${conf} test is successful\n$`,
  ));
  assert.deepStrictEqual(say('-tq', '-c', conf), { status: 0, stdout: '', stderr: '' });
});

test('-t reports every error with its place', (t) => {
  const conf = file(t, 'n.conf', 'http {\n  server {\n    lisen 80;\n    proxy_pas http://x;\n  }\n}\n');
  const { status, stderr } = say('-t', '-c', conf);
  assert.strictEqual(status, 1);
  assert.match(stderr, /^nginx: \[emerg\] unknown directive "lisen" in .*n\.conf:3\n {2}.*n\.conf:3:5\n {4}lisen 80;\n {4}\^\n/m);
  assert.match(stderr, /did you mean "listen"/);
  assert.match(stderr, /^nginx: \[emerg\] unknown directive "proxy_pas" in .*n\.conf:4\n/m);
  assert.match(stderr, /test failed\n$/);
});

test('what looks right and is not is told apart', (t) => {
  const listen = 'http { server {\u00a0listen 127.0.0.1:8123; return 200 \u201cok\u201d; } }\n';
  const { status, stderr } = say('-t', '-c', file(t, 'web.conf', listen));
  assert.strictEqual(status, 1);
  assert.match(stderr, /\[warn\] "\u00a0listen" has a no-break space in it/);
  assert.match(stderr, /\[warn\] "\u201cok\u201d" has a typographic quote in it/);
  const wide = path.join(directory(t), 'wide.conf');
  fs.writeFileSync(wide, Buffer.from('\ufeffhttp { }\n', 'utf16le'));
  assert.match(say('-t', '-c', wide).stderr, /^nginx: \[emerg\] this file is written in UTF-16: save it as UTF-8 in .*\n.* test failed\n$/);
});

test('what OpenSSL and the name service say is said in plain words too', (t) => {
  const home = directory(t);
  const make = (name) => execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
    '-subj', '/CN=a', '-keyout', path.join(home, `${name}.key`), '-out', path.join(home, `${name}.crt`)], { stdio: 'ignore' });
  make('a');
  make('b');
  const secure = (crt, key) => say('-t', '-c', file(t, 'n.conf', `http { server { listen 127.0.0.1:8123 ssl;
    ssl_certificate ${home}/${crt}; ssl_certificate_key ${home}/${key}; return 204; } }`)).stderr;
  assert.match(secure('a.crt', 'a.key'), /test is successful/);
  assert.match(secure('a.crt', 'b.key'), /key values mismatch\) in .*n\.conf:2\n {2}the key is another certificate's\n/);
  assert.match(secure('a.key', 'a.key'), /no start line.*\n {2}there is no such block in it/);
  const { stderr } = say('-t', '-c', file(t, 'm.conf', 'http { upstream n { server nobody.invalid:80; } server { listen 8123; location / { proxy_pass http://n; } } }'));
  assert.match(stderr, /\n {2}.*; with a "resolver", "server nobody\.invalid:80 resolve;" begins without it\n/);
});

test('-T prints every file that was read', (t) => {
  const conf = file(t, 'n.conf', 'http { include part.conf; }\n');
  const part = path.join(path.dirname(conf), 'part.conf');
  fs.writeFileSync(part, 'server { listen 127.0.0.1:8123; return 204; }\n');
  const { status, stdout } = say('-T', '-c', conf);
  assert.strictEqual(status, 0);
  assert.ok(stdout.startsWith(`# configuration file ${conf}:\nhttp { include part.conf; }\n\n`), stdout);
  assert.ok(stdout.includes(`\n# configuration file ${part}:\nserver `), stdout);
});

test('-g and -p', (t) => {
  const conf = file(t, 'n.conf', 'http { server { listen 127.0.0.1:8123; return 204; } }\n');
  assert.strictEqual(say('-p', path.dirname(conf), '-c', 'n.conf', '-t', '-g', 'worker_processes 1;').status, 0);
  const { status, stderr } = say('-c', conf, '-t', '-g', 'wrong here;');
  assert.strictEqual(status, 1);
  assert.match(stderr, /^nginx: \[emerg\] unknown directive "wrong" in command line\n/);
});

test('-e takes what is wrong with a configuration', (t) => {
  const home = path.dirname(file(t, 'n.conf', 'http {\n  lisen 80;\n}\n'));
  const { status } = say('-p', `${home}/`, '-c', 'n.conf', '-e', 'error.log');
  assert.strictEqual(status, 1);
  const log = fs.readFileSync(path.join(home, 'error.log'), 'utf8');
  assert.match(log, /^\d{4}\/\d\d\/\d\d [\d:]{8} \[emerg\] \d+#\d+: unknown directive "lisen" in .*\/n\.conf:2; /);
  assert.match(say('-t', '-p', home, '-c', 'n.conf', '-e', 'no/error.log').stderr,
    /nginx: \[alert\] could not open error log file: open\(\) ".*no\/error\.log" failed \(2: No such file/);
});

test('-V names what is built in, and what is not, as tools read it', () => {
  const { stderr } = say('-V');
  assert.match(stderr, /\nbuilt with OpenSSL 3\.[\d.]+ .*\nTLS SNI support enabled\nconfigure arguments: --with-threads /);
  assert.match(stderr, / --with-http_stub_status_module /);
  assert.match(stderr, / --without-http_fastcgi_module /);
  assert.doesNotMatch(stderr, /=dynamic|--without-http_proxy_module|--without-http_rewrite_module/);
});

test("other programs' languages are named", (t) => {
  for (const [name, text, program] of [
    ['haproxy.cfg', 'global\n', 'HAProxy'],
    ['Caddyfile', ':80 {\n}\n', 'Caddy'],
    ['site', '<VirtualHost *:80>\n</VirtualHost>\n', 'Apache httpd'],
    ['x.yml', 'http:\n  routers: {}\n', 'Traefik'],
    ['y.yml', 'apiVersion: networking.k8s.io/v1\n', 'Kubernetes'],
  ]) {
    const { status, stderr } = say('-t', '-c', file(t, name, text));
    assert.strictEqual(status, 1);
    assert.match(stderr, new RegExp(`a configuration of ${program}, a language that hawser does not read yet`));
  }
});

test('a port in use is reported with its owner and the way out', async (t) => {
  const port = await freePort();
  const server = net.createServer();
  t.after(() => server.close());
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { status, stderr } = say('-l', `127.0.0.1:${port}`, '-a', 'off', 'http://127.0.0.1:1');
  assert.strictEqual(status, 1);
  assert.match(stderr, /bind\(\) to 127\.0\.0\.1:\d+ failed \(98: Address already in use\)/);
  assert.match(stderr, new RegExp(`port ${port} is in use by .+ \\(pid ${process.pid}\\); choose another with -l :\\d+`));
});

test('-s without a hawser to be told', (t) => {
  const conf = file(t, 'n.conf', config(8123, 'x'));
  assert.match(say('-s', 'stop', '-c', conf).stderr, /hawser does not seem to run/);
  const silent = file(t, 'm.conf', 'http { server { listen 8123; return 204; } }');
  assert.match(say('-s', 'stop', '-c', silent).stderr, /names no pid file/);
});
