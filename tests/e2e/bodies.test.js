"use strict";
// Bodies of requests on their way: read whole before a server is asked (nginx's default), in memory or in a file, or
// passed on as they come.

const assert = require("node:assert");
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { describe, test } = require("node:test");
const { sleep, until, tempFolder } = require("./lib/base.js");
const { isNginx, startConfig } = require("./lib/hawser.js");
const { connect, ask, startRawBackend } = require("./lib/wire.js");

const ok = (body = "ok") => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const post = (target, body, more = "") => `POST ${target} HTTP/1.1\r\nHost: h\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
const inChunks = (body, size) => (body.match(new RegExp(`.{1,${size}}`, "gs")) || []).map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join("") + "0\r\n\r\n";
const letters = (count) => crypto.randomBytes(count / 2).toString("hex");
const configOf = (backend, lines, more = "") => ({ port, folder }) => `http { ${isNginx ? "" : `client_body_temp_path ${folder}/body;`} proxy_http_version 1.1; proxy_set_header Connection "";
  upstream nodes { server 127.0.0.1:${backend.port}; ${more} }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://nodes; ${lines} } } }`;

/* A backend that answers all that it gets whole. */
async function start(t, lines, answer = () => ok()) {
  const seen = [];
  const backend = await startRawBackend(t, async (wire) => {
    for (;;) {
      const request = await wire.takeRequest(60000);
      seen.push(request);
      wire.write(answer(request, seen.length));
    }
  });
  const hawser = await startConfig(t, configOf(backend, lines));
  return { backend, hawser, seen };
}

describe("a body that is read first", () => {
  test("reaches the server when all of it is there, and not before", async (t) => {
    const { backend, hawser, seen } = await start(t, "");
    const wire = await connect(t, hawser.port);
    wire.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n01234");
    await sleep(150);
    assert.equal(backend.wires.length, 0, "no connection to the server yet");
    wire.write("56789");
    assert.equal((await wire.takeResponse()).status, 200);
    assert.equal(seen[0].body, "0123456789");
  });

  test("goes on with its length, though it came in chunks", async (t) => {
    const { hawser, seen } = await start(t, "");
    for (const body of ["", "short", letters(100000)]) {
      const answer = await ask(t, hawser.port, `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${inChunks(body, 777)}`);
      assert.equal(answer.status, 200);
      const request = seen.pop();
      assert.equal(request.get("content-length"), String(body.length));
      assert.equal(request.get("transfer-encoding"), undefined);
      assert.ok(request.body === body, "the body is another");
    }
  });

  test("arrives whole whatever its length, on one connection", async (t) => {
    const { hawser, seen } = await start(t, "client_max_body_size 0; client_body_buffer_size 8k;");
    const wire = await connect(t, hawser.port);
    for (const length of [0, 2, 8190, 8192, 8194, 20000, 2000000]) {
      const body = letters(length);
      wire.write(post(`/${length}`, body));
      assert.equal((await wire.takeResponse("POST", 20000)).status, 200);
      assert.ok(seen.pop().body === body, `${length} bytes`);
    }
  });

  test("is kept in bounded memory", { skip: isNginx }, async (t) => {
    const { hawser } = await start(t, "client_max_body_size 0;");
    const wire = await connect(t, hawser.port);
    wire.write(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${64 << 20}\r\n\r\n`);
    const before = hawser.pss();
    for (let i = 0; i < 60; i++) {
      wire.write("x".repeat(1 << 20));
      await until(() => wire.socket.writableLength === 0, "the client's bytes to leave");
    }
    const grown = hawser.pss() - before;
    assert.ok(grown < 4 << 20, `grew by ${grown} bytes`);
    wire.write("x".repeat(4 << 20));
    assert.equal((await wire.takeResponse("POST", 20000)).status, 200);
    assert.deepEqual(fs.readdirSync(path.join(hawser.folder, "body")), [], "a file without a name");
  });

  test("is sent again to another server", async (t) => {
    const bodies = [];
    const failing = await startRawBackend(t, async (wire) => {
      bodies.push((await wire.takeRequest(60000)).body);
      wire.destroy();
    });
    const good = await startRawBackend(t, async (wire) => {
      for (;;) {
        bodies.push((await wire.takeRequest(60000)).body);
        wire.write(ok());
      }
    });
    const hawser = await startConfig(t, ({ port }) => `http { proxy_http_version 1.1;
      upstream nodes { server 127.0.0.1:${failing.port}; server 127.0.0.1:${good.port} backup; }
      server { listen 127.0.0.1:${port}; client_body_buffer_size 4k; client_max_body_size 0; location / { proxy_pass http://nodes; } } }`);
    for (const length of [10, 3000, 300000]) {
      const body = letters(length);
      bodies.length = 0;
      const text = post("/", body).replace("POST", "PUT");
      const answer = await ask(t, hawser.port, text, { ms: 10000 });
      assert.equal(answer.status, 200);
      assert.ok(bodies.at(-1) === body, `${length} bytes`);
    }
  });

  test("is refused with 413 as soon as it is too long", async (t) => {
    const { backend, hawser } = await start(t, "client_max_body_size 1k;");
    const answer = await ask(t, hawser.port, post("/", letters(2000)));
    assert.equal(answer.status, 413);
    const chunked = await connect(t, hawser.port);
    chunked.write(`POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n${letters(1024)}\r\n1\r\n`);
    await sleep(50);
    chunked.write("x");
    assert.equal((await chunked.takeResponse("POST")).status, 413);
    assert.equal(backend.wires.length, 0);
  });

  test("is asked for with 100 Continue before the server knows of it", async (t) => {
    const { backend, hawser, seen } = await start(t, "");
    const wire = await connect(t, hawser.port);
    wire.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert.equal((await wire.takeHead()).status, 100);
    assert.equal(backend.wires.length, 0);
    wire.write("hello");
    assert.equal((await wire.takeResponse("POST")).status, 200);
    assert.equal(seen[0].body, "hello");
    assert.equal(seen[0].get("expect"), undefined);
  });

  test("that is broken off or broken is told to nobody", async (t) => {
    const { backend, hawser } = await start(t, "");
    const wire = await connect(t, hawser.port);
    wire.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nhello");
    await sleep(50);
    wire.destroy();
    const answer = await ask(t, hawser.port, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    assert.equal(answer.status, 400);
    assert.equal(backend.wires.length, 0);
  });

  test("goes to an HTTP/1.0 server with its length, in any case", async (t) => {
    const { hawser, seen } = await start(t, "proxy_http_version 1.0; proxy_request_buffering off;", () => ok());
    const answer = await ask(t, hawser.port, `POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${inChunks("abcdef", 2)}`);
    assert.equal(answer.status, 200);
    assert.equal(seen[0].body, "abcdef");
  });
});

describe("a body that is passed on as it comes", () => {
  test("flows before its end is there, chunks as chunks", async (t) => {
    const backend = await startRawBackend(t, async (wire) => {
      const head = await wire.takeHead();
      assert.equal(head.get("transfer-encoding"), "chunked");
      assert.equal(await wire.take(8), "3\r\nabc\r\n");
      wire.seen = true;
      assert.equal(await wire.takeTo("0\r\n\r\n"), "1\r\nd\r\n0\r\n\r\n");
      wire.write(ok());
    });
    const hawser = await startConfig(t, configOf(backend, "proxy_request_buffering off;"));
    const wire = await connect(t, hawser.port);
    wire.write("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    await until(() => backend.wires[0]?.seen, "the server to see the first chunk");
    wire.write("1\r\nd\r\n0\r\n\r\n");
    assert.equal((await wire.takeResponse("POST")).status, 200);
  });
});

describe("a file that has a name", () => {
  const files = (folder) => (fs.existsSync(folder) ? fs.readdirSync(folder, { recursive: true }).filter((name) => /\d{10}$/.test(name)) : []);
  const lines = (folder, only) => `client_body_in_file_only ${only}; client_body_temp_path ${folder}/named 1 2; proxy_pass_request_body off;
    proxy_set_header Content-Length ""; proxy_set_header X-File $request_body_file; proxy_set_header X-Body $request_body;`;

  for (const only of ["on", "clean"])
    test(`is told to the server: client_body_in_file_only ${only}`, async (t) => {
      const folder = tempFolder(t);
      let held;
      const { hawser, seen } = await start(t, lines(folder, only), (request) => ((held = fs.readFileSync(request.get("x-file"), "latin1")), ok()));
      const answer = await ask(t, hawser.port, post("/", "the body"));
      assert.equal(answer.status, 200);
      assert.equal(held, "the body");
      assert.equal(seen[0].body, "");
      const [name, ...none] = files(`${folder}/named`);
      assert.deepEqual(none, []);
      if (only === "clean") return until(() => files(`${folder}/named`).length === 0, "the file to go");
      assert.match(name, /^\d\/\d\d\/\d{10}$/);
    });

  test("is not there otherwise, and $request_body is the body", async (t) => {
    const { hawser, seen } = await start(t, 'proxy_set_header X-Body $request_body; proxy_set_header X-File "<$request_body_file>";');
    await ask(t, hawser.port, post("/", "the body"));
    assert.equal(seen[0].get("x-body"), "the body");
    assert.equal(seen[0].get("x-file"), "<>");
    await ask(t, hawser.port, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert.equal(seen[1].get("x-body"), undefined);
  });
});
