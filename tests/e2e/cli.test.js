"use strict";
// What the command line says and does.

const assert = require("node:assert");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const { describe, test } = require("node:test");
const { spawn } = require("node:child_process");
const { HAWSER, freePort, tempFolder, until, within } = require("./lib/base.js");
const { runHawser, startConfig } = require("./lib/hawser.js");
const { ask, connect } = require("./lib/wire.js");

/* Runs `hawser ...args FILE` on this text. */
async function onFile(t, text, args = ["-t"]) {
  const folder = tempFolder(t);
  const file = path.join(folder, "site.conf");
  fs.writeFileSync(file, text);
  return { ...(await runHawser([...args, "-p", folder, "-c", file])), file, folder };
}
const GOOD = `http {
  upstream nodes { sticky sid; server 127.0.0.1:3001; server 127.0.0.1:3002; }
  server { listen 127.0.0.1:8099; location / { proxy_pass http://nodes; } }
}`;

describe("-t", () => {
  test("says what was understood", async (t) => {
    const { code, out, log, file } = await onFile(t, GOOD);
    assert.equal(code, 0, log);
    assert.match(log, new RegExp(`${file} syntax is ok`));
    assert.match(log, new RegExp(`${file} test is successful`));
    assert.match(out, /^listen 127\.0\.0\.1:8099/m);
    assert.match(out, /^upstream nodes: 2 servers.*sid/m);
  });

  test("warns of a read timeout that ends healthy connections", async (t) => {
    const { code, out, log } = await onFile(t, GOOD.replace("proxy_pass", "proxy_read_timeout 30s; proxy_pass"));
    assert.equal(code, 0);
    assert.match(out + log, /proxy_read_timeout|45/);
  });

  test("-q says nothing of a good file", async (t) => {
    const { code, out, log } = await onFile(t, GOOD, ["-t", "-q"]);
    assert.deepEqual([code, out, log], [0, "", ""]);
  });

  test("opens no port and changes nothing", async (t) => {
    const hawser = await startConfig(t, ({ port }) => `http { server { listen 127.0.0.1:${port}; location / { return 200 running; } } }`);
    const { code, log } = await runHawser(["-t", "-p", hawser.folder, "-c", hawser.file]);
    assert.equal(code, 0, log);
    assert.equal((await ask(t, hawser.port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")).body, "running");
  });

  for (const [what, text, place, ...patterns] of [
    ["an unknown directive", "http {\n  server {\n    proxy_pas http://x;\n  }\n}", "3:5", /unknown directive "proxy_pas"/, /did you mean "proxy_pass"/],
    ["a directive in the wrong place", "http {\n  listen 80;\n}", "2:3", /"listen" .*not allowed/],
    ["a wrong number of parameters", "http {\n  server {\n    listen;\n  }\n}", "3:5", /listen/],
    ["a bad time", "http {\n  server {\n    location / {\n      proxy_read_timeout 5x;\n    }\n  }\n}", "4:26", /5x/],
    ["a missing semicolon", "http {\n  server {\n    listen 80\n  }\n}", "4:3", /";" is missing/],
    ["a missing brace", "http {\n  server {\n    listen 80;\n", "", /"}"/],
    ["a brace too many", "http {\n}\n}\n", "3:1", /unexpected "}"/],
    ["a quote without an end", 'http {\n  server {\n    return 200 "x;\n  }\n}', "3:", /quot|"/],
    ["an unknown variable", 'http {\n  server {\n    location / {\n      return 200 "$htp_host";\n    }\n  }\n}', "4:", /htp_host/],
    ["a bad regular expression", "http {\n  server {\n    location ~ a( {\n    }\n  }\n}", "3:", /a\(/],
    ["an include that is not there", "include none.conf;\n", "1:", /none\.conf/],
    ["an upstream that is not there", "http {\n  upstream nodes { server 127.0.0.1:1; }\n  server {\n    location / { proxy_pass http://node; }\n  }\n}", "4:", /node/, /did you mean "nodes"/],
    ["two errors", "http {\n  serve { }\n  upstrem x { }\n}", "2:3", /serve/, /upstrem/],
  ])
    test(`names place and reason of ${what}`, async (t) => {
      const { code, log, file } = await onFile(t, text);
      assert.equal(code, 1, log);
      assert.ok(log.includes(`${file}:${place}`), log);
      for (const pattern of patterns) assert.match(log, pattern);
      assert.match(log, /test failed/);
    });

  test("names the included file in which the error is", async (t) => {
    const folder = tempFolder(t);
    fs.mkdirSync(path.join(folder, "conf.d"));
    fs.writeFileSync(path.join(folder, "conf.d/site.conf"), "server {\n  lisen 80;\n}\n");
    fs.writeFileSync(path.join(folder, "main.conf"), "http { include conf.d/*.conf; }");
    const { code, log } = await runHawser(["-t", "-p", folder, "-c", path.join(folder, "main.conf")]);
    assert.equal(code, 1);
    assert.match(log, /conf\.d\/site\.conf:2:3/);
    assert.match(log, /did you mean "listen"/);
  });

  test("a file that is not there", async () => {
    const { code, log } = await runHawser(["-t", "-c", "/nowhere/none.conf"]);
    assert.equal(code, 1);
    assert.match(log, /open\(\) "\/nowhere\/none\.conf" failed \(2: No such file or directory\)/);
  });
});

describe("other letters", () => {
  test("-v and -V say the version", async () => {
    const short = await runHawser(["-v"]);
    assert.equal(short.code, 0);
    assert.match(short.log + short.out, /^hawser version: hawser\/\d+\.\d+\.\d+\n$/);
    const long = await runHawser(["-V"]);
    assert.equal(long.code, 0);
    assert.match(long.log + long.out, /hawser\/\d+\.\d+\.\d+/);
    assert.match(long.log + long.out, /OpenSSL/);
  });

  test("-h says what there is", async () => {
    const { code, out, log } = await runHawser(["-h"]);
    assert.equal(code, 0);
    for (const letter of ["-c", "-l", "-p", "-g", "-e", "-t", "-T", "-q", "-s", "-v", "-V"]) assert.match(out + log, new RegExp(` ${letter}[ ,]`));
  });

  test("-T prints every file that was read", async (t) => {
    const folder = tempFolder(t);
    fs.writeFileSync(path.join(folder, "a.conf"), "# of a\nserver { listen 127.0.0.1:8098; }\n");
    fs.writeFileSync(path.join(folder, "main.conf"), "http { include a.conf; }\n");
    const { code, out } = await runHawser(["-T", "-p", folder, "-c", path.join(folder, "main.conf")]);
    assert.equal(code, 0);
    assert.match(out, /# configuration file .*main\.conf:\nhttp \{ include a\.conf; \}/);
    assert.match(out, /# configuration file .*a\.conf:\n# of a\n/);
  });

  test("-g adds directives", async (t) => {
    const folder = tempFolder(t);
    const { code } = await onFile(t, GOOD, ["-t", "-g", `pid ${folder}/x.pid; worker_processes 1;`]);
    assert.equal(code, 0);
    const bad = await onFile(t, GOOD, ["-t", "-g", "no_such_thing 1;"]);
    assert.equal(bad.code, 1);
    assert.match(bad.log, /no_such_thing/);
  });

  test("an unknown letter, a letter without its value, an unknown signal", async () => {
    for (const [args, pattern] of [[["-z"], /"z"|-z/], [["-c"], /-c/], [["-s", "halt"], /halt/], [["-l"], /-l/]]) {
      const { code, log } = await runHawser(args);
      assert.equal(code, 1, `${args}`);
      assert.match(log, pattern);
    }
  });

  test("nothing at all is an invitation", async (t) => {
    const { code, log, out } = await runHawser([], { cwd: tempFolder(t) });
    assert.equal(code, 1);
    assert.match(log + out, /hawser http:\/\//);
  });

  for (const url of ["ftp://x", "http://", "http://127.0.0.1:99999", "http://[::1", "http://127.0.0.1:x"])
    test(`a server that is none: ${url}`, async () => {
      const { code, log } = await runHawser(["-l", `127.0.0.1:${await freePort()}`, url]);
      assert.equal(code, 1);
      assert.ok(log.includes(url.replace(/^http:\/\//, "")) || log.includes(url), log);
    });

  for (const [what, listen] of [["a word", "here"], ["a number that is too great", ":70000"], ["an address of others", "192.0.2.1:8080"]])
    test(`a place to listen that is none: ${what}`, async () => {
      const { code, log } = await runHawser(["-l", listen, "http://127.0.0.1:3000"]);
      assert.equal(code, 1);
      assert.ok(log.includes(listen.replace(/^:/, "")), log);
    });
});

test("-s reload, quit and stop reach the one that runs", async (t) => {
  const text = (port, folder, word) => `pid ${folder}/hawser.pid; http { server { listen 127.0.0.1:${port}; location / { return 200 ${word}; } } }`;
  for (const last of ["quit", "stop"]) {
    const hawser = await startConfig(t, ({ port, folder }) => text(port, folder, "one"));
    const args = ["-p", hawser.folder, "-c", hawser.file];
    await until(() => fs.existsSync(path.join(hawser.folder, "hawser.pid")), "the pid file");
    assert.equal(fs.readFileSync(path.join(hawser.folder, "hawser.pid"), "latin1").trim(), String(hawser.pid));
    fs.writeFileSync(hawser.file, text(hawser.port, hawser.folder, "two"));
    assert.equal((await runHawser([...args, "-s", "reload"])).code, 0);
    const get = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    await until(async () => (await ask(t, hawser.port, get)).body === "two", "the reload");
    assert.equal((await runHawser([...args, "-s", last])).code, 0);
    assert.deepEqual(await within(3000, hawser.exit, `the end after -s ${last}`), { code: 0, signal: null });
    assert.ok(!fs.existsSync(path.join(hawser.folder, "hawser.pid")));
    const late = await runHawser([...args, "-s", last]);
    assert.equal(late.code, 1);
    assert.match(late.log, /hawser\.pid/);
  }
});

test("a port in use is said, with the way out", async (t) => {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address();
  const { code, log } = await runHawser(["-l", `127.0.0.1:${port}`, "http://127.0.0.1:3000"]);
  assert.equal(code, 1);
  assert.match(log, new RegExp(`${port}.*in use`, "is"));
  assert.match(log, /-l :\d+/);
});

test("the one-liner says where it serves, and takes ports and host names for servers", async (t) => {
  const port = await freePort();
  const backend = net.createServer((socket) => socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")));
  await new Promise((resolve) => backend.listen(0, "127.0.0.1", resolve));
  t.after(() => backend.close());
  const at = backend.address().port;
  for (const server of [`http://127.0.0.1:${at}`, `127.0.0.1:${at}`, `:${at}`, `${at}`, `http://localhost:${at}`]) {
    const child = spawn(HAWSER, ["-l", `127.0.0.1:${port}`, server], { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    child.stderr.on("data", (text) => (said += text));
    child.stdout.on("data", (text) => (said += text));
    const exit = new Promise((resolve) => child.once("exit", resolve));
    try {
      await until(() => said.includes(`http://127.0.0.1:${port}`), () => `where it serves in: ${said}`);
      const wire = await until(() => connect(t, port).catch(() => null), "it to accept");
      wire.write("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
      assert.equal((await wire.takeResponse()).body, "ok", server);
    } finally {
      child.kill("SIGTERM");
      assert.equal(await exit, 0);
    }
  }
});

test("a unix socket on either side", async (t) => {
  const folder = tempFolder(t);
  const backend = net.createServer((socket) => socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nunix")));
  await new Promise((resolve) => backend.listen(path.join(folder, "node.sock"), resolve));
  t.after(() => backend.close());
  const child = spawn(HAWSER, ["-l", `unix:${folder}/front.sock`, `unix:${folder}/node.sock`], { stdio: "ignore" });
  const exit = new Promise((resolve) => child.once("exit", resolve));
  t.after(() => child.kill("SIGKILL"));
  const answer = await until(
    () =>
      new Promise((resolve) => {
        let text = "";
        const socket = net.connect(path.join(folder, "front.sock"), () => socket.write("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
        socket.on("data", (bytes) => (text += bytes)).once("error", () => resolve("")).once("end", () => resolve(text));
      }),
    "an answer",
  );
  assert.match(answer, /unix$/);
  child.kill("SIGTERM");
  assert.equal(await exit, 0);
});
