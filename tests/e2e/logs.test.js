"use strict";
// Access and error logs: where they go, what is in them, and when. The same of nginx (PROXY=nginx).

const assert = require("node:assert");
const dgram = require("node:dgram");
const fs = require("node:fs");
const http = require("node:http");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const { test } = require("node:test");
const zlib = require("node:zlib");
const { until } = require("./lib/base.js");
const { isNginx, startConfig } = require("./lib/hawser.js");
const { ask } = require("./lib/wire.js");

const get = (t, port, target, headers = "") => ask(t, port, `GET ${target} HTTP/1.1\r\nHost: a\r\n${headers}Connection: close\r\n\r\n`);
const reader = (folder) => (name) => (fs.existsSync(path.join(folder, name)) ? fs.readFileSync(path.join(folder, name), "latin1") : "");

async function startSyslog(t) {
  const socket = dgram.createSocket("udp4");
  const messages = [];
  socket.on("message", (bytes) => messages.push(bytes.toString()));
  await new Promise((resolve) => socket.bind(0, "127.0.0.1", resolve));
  t.after(() => socket.close());
  return { port: socket.address().port, messages, take: () => until(() => messages.shift(), "a message to syslog") };
}

test("a log that cannot be written is said in the error log", async (t) => {
  const hawser = await startConfig(
    t,
    ({ port, folder }) => `error_log ${folder}/error.log; http { server { listen 127.0.0.1:${port}; access_log /dev/full; return 200; } }`,
  );
  await get(t, hawser.port, "/");
  const said = /\[alert\].*write\(\) to "\/dev\/full" failed \(28: No space left on device\)/;
  await until(() => said.test(reader(hawser.folder)("error.log")), "the line");
});

test("formats, conditions, variables in the path, several logs, and off", async (t) => {
  const hawser = await startConfig(
    t,
    ({ port, folder }) => `http {
      map $arg_x $known { default ""; a A; }
      log_format plain "$uri|$http_x|$known|$arg_none";
      log_format json escape=json '{"x":"$http_x","none":"$http_none"}';
      log_format raw escape=none "$http_x|$http_none";
      server { listen 127.0.0.1:${port}; access_log ${folder}/all.log plain;
        location / { return 200; }
        location /json { access_log ${folder}/json.log json; access_log ${folder}/raw.log raw; return 200; }
        location /if { access_log ${folder}/if.log plain if=$arg_log; return 200; }
        location /path { root ${folder}; access_log ${folder}/path-$arg_name.log plain; return 200; }
        location /off { access_log ${folder}/off.log plain; access_log off; return 200; } } }`,
  );
  const read = reader(hawser.folder);
  const strange = 'X: a"b\\c\t\xe9\r\n';
  await get(t, hawser.port, "/plain", strange);
  await until(() => read("all.log"), "a line");
  assert.equal(read("all.log"), "/plain|a\\x22b\\x5Cc\\x09\\xE9||-\n");
  await get(t, hawser.port, "/json", strange);
  await until(() => read("json.log") && read("raw.log"), "lines");
  assert.equal(read("json.log"), '{"x":"a\\"b\\\\c\\t\xe9","none":""}\n');
  assert.equal(read("raw.log"), 'a"b\\c\t\xe9|\n');
  for (const query of ["", "?log=", "?log=0", "?log=1", "?log=00"]) await get(t, hawser.port, `/if${query}`);
  await until(() => read("if.log").split("\n").length === 3, "two lines");
  await get(t, hawser.port, "/path?name=one");
  await get(t, hawser.port, "/path?name=two");
  await until(() => read("path-one.log") && read("path-two.log"), "files named by variables");
  await get(t, hawser.port, "/off");
  await get(t, hawser.port, "/end");
  await until(() => read("all.log").includes("/end"), "the last line");
  assert.equal(read("off.log"), "");
  assert.equal(read("all.log").split("\n").length, 3);
});

test("a buffered log is written when it is full, when its time has come, and when it is reopened", async (t) => {
  const hawser = await startConfig(
    t,
    ({ port, folder }) => `http { log_format line "0123456789$uri";
      server { listen 127.0.0.1:${port};
        location /full { access_log ${folder}/full.log line buffer=64; return 200; }
        location /time { access_log ${folder}/time.log line buffer=4k flush=100ms; return 200; }
        location /open { access_log ${folder}/open.log line buffer=4k; return 200; } } }`,
  );
  const read = reader(hawser.folder);
  for (let i = 0; i < 4; i++) await get(t, hawser.port, "/full");
  assert.equal(read("full.log"), "");
  await get(t, hawser.port, "/full");
  await until(() => read("full.log"), "a full buffer");
  assert.equal(read("full.log"), "0123456789/full\n".repeat(4));
  await get(t, hawser.port, "/time");
  await until(() => read("time.log") === "0123456789/time\n", "flush=");
  await get(t, hawser.port, "/open");
  assert.equal(read("open.log"), "");
  hawser.signal("SIGUSR1");
  await until(() => read("open.log") === "0123456789/open\n", "reopening");
});

test("a compressed log is a gzip member a buffer", async (t) => {
  const hawser = await startConfig(
    t,
    ({ port, folder }) => `http { log_format line "0123456789$uri";
      server { listen 127.0.0.1:${port};
        location /full { access_log ${folder}/full.gz line gzip buffer=64; return 200; }
        location /time { access_log ${folder}/time.gz line gzip=9 flush=100ms; return 200; } } }`,
  );
  const bytes = (name) => fs.readFileSync(path.join(hawser.folder, name));
  const unpacked = (name) => zlib.gunzipSync(bytes(name)).toString();
  for (let i = 0; i < 9; i++) await get(t, hawser.port, "/full");
  await until(() => bytes("full.gz").length && unpacked("full.gz").length === 128, "two members");
  assert.equal(unpacked("full.gz"), "0123456789/full\n".repeat(8));
  await get(t, hawser.port, "/time");
  await until(() => bytes("time.gz").length, "flush=");
  assert.equal(unpacked("time.gz"), "0123456789/time\n");
  hawser.signal("SIGUSR1");
  await until(() => unpacked("full.gz").length === 144, "reopening");
});

test("what a client did not take was not sent, and an answer that broke off was the server's own", { skip: isNginx && "hawser's alone" }, async (t) => {
  const size = 40e6;
  let given;
  const isGiven = new Promise((resolve) => (given = resolve));
  const server = http.createServer((request, response) => {
    if (request.url === "/short") {
      response.write("part");
      setImmediate(() => response.destroy());
    } else response.end(Buffer.alloc(size), given);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const hawser = await startConfig(
    t,
    ({ port, folder }) => `http {
      log_format told '$uri $status $upstream_status $bytes_sent $body_bytes_sent $upstream_response_length $request_completion.';
      access_log ${folder}/access.log told;
      server { listen 127.0.0.1:${port};
        location / { proxy_http_version 1.1; proxy_set_header Connection ""; proxy_pass http://127.0.0.1:${server.address().port}; } } }`,
  );
  const client = net.connect(hawser.port, "127.0.0.1");
  client.pause();
  client.write("GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
  await isGiven;
  client.destroy();
  const logged = (pattern) => until(() => pattern.exec(reader(hawser.folder)("access.log")), `${pattern}`);
  const [, whole, body, length, completion] = await logged(/^\/long 200 200 (\d+) (\d+) (\d+) (OK)?\.$/m);
  assert.ok(Number(whole) > Number(body) && Number(body) < size, `${whole} and ${body} bytes sent`);
  assert.ok(Number(length) > Number(body), `${length} bytes read of the server`);
  assert.equal(completion, undefined);
  await get(t, hawser.port, "/short").catch(() => {});
  await logged(/^\/short 200 200 /m);
});

test("logs to syslog: header, facility, severity, tag", async (t) => {
  const syslog = await startSyslog(t);
  const to = `syslog:server=127.0.0.1:${syslog.port}`;
  const hawser = await startConfig(
    t,
    ({ port }) => `http { log_format line "$uri"; access_log off;
      server { listen 127.0.0.1:${port}; root /nonexistent;
        location /a { access_log ${to} line; return 200; }
        location /b { access_log ${to},facility=user,severity=alert,tag=SEEN,nohostname line; return 200; }
        location /e { error_log ${to},severity=alert; }
        location /two { error_log ${to} emerg; error_log ${to} error; } } }`,
  );
  const date = "[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d";
  await get(t, hawser.port, "/a");
  assert.match(await syslog.take(), new RegExp(`^<190>${date} ${os.hostname().toLowerCase()} nginx: /a$`));
  await get(t, hawser.port, "/b");
  assert.match(await syslog.take(), new RegExp(`^<9>${date} SEEN: /b$`));
  await get(t, hawser.port, "/b?x");
  await syslog.take();
  assert.deepEqual(syslog.messages, []);
});

test("error logs of a location, several, each with its level", async (t) => {
  const hawser = await startConfig(
    t,
    ({ port, folder }) => `http { client_max_body_size 1; error_log ${folder}/http.log;
      server { listen 127.0.0.1:${port}; location / { return 200; }
        location /l { error_log ${folder}/error.log; error_log ${folder}/crit.log crit; error_log ${folder}/info.log info;
          proxy_pass http://127.0.0.1:1; } } }`,
  );
  const read = reader(hawser.folder);
  const refused = (target) => ask(t, hawser.port, `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nConnection: close\r\n\r\n`);
  await get(t, hawser.port, "/l");
  await until(() => read("error.log") && read("info.log"), "lines");
  for (const name of ["error.log", "info.log"]) assert.match(read(name), /^[^\n]*\[error\][^\n]*connect\(\) [^\n]*failed \(111[^\n]*\n$/);
  assert.equal(read("crit.log"), "");
  assert.equal(read("http.log"), "");
  await refused("/");
  await until(() => read("http.log").includes("too large body"), "the log of http");
  assert.doesNotMatch(read("error.log"), /too large/);
});
