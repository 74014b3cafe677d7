"use strict";
// Answers on their way: kept for a slow client so that the server is free early, paced by limit_rate, and steered by
// the server's X-Accel-* fields.

const assert = require("node:assert");
const fs = require("node:fs");
const { describe, test } = require("node:test");
const { sleep, until } = require("./lib/base.js");
const { isNginx, startConfig } = require("./lib/hawser.js");
const { connect, ask, startRawBackend } = require("./lib/wire.js");

const MB = 1 << 20;
const get = (target = "/", more = "") => `GET ${target} HTTP/1.1\r\nHost: h\r\n${more}\r\n`;
const configOf = (backend, lines, more = "") => ({ port, folder }) => `http { ${isNginx ? "" : `proxy_temp_path ${folder}/temp;`} proxy_http_version 1.1; proxy_set_header Connection "";
  server { listen 127.0.0.1:${port}; root ${folder}; ${more} location / { proxy_pass http://127.0.0.1:${backend.port}; ${lines} } } }`;

/* Answers every request by answer(request, wire). */
async function start(t, lines, answer, more) {
  const backend = await startRawBackend(t, async (wire) => {
    for (;;) {
      const request = await wire.takeRequest(60000);
      await answer(request, wire);
    }
  });
  const hawser = await startConfig(t, configOf(backend, lines, more));
  return { backend, hawser };
}
const big = (count, more = "") => (request, wire) => {
  wire.write(`HTTP/1.1 200 OK\r\nContent-Length: ${count * MB}\r\n${more}\r\n`);
  for (let i = 0; i < count; i++) wire.write(String.fromCharCode(97 + (i % 26)).repeat(MB));
  wire.isSaid = true;
};
const body = (count) => Array.from({ length: count }, (_, i) => String.fromCharCode(97 + (i % 26)).repeat(MB)).join("");
const isEmptied = (wire) => wire.isSaid && wire.socket.writableLength === 0;

/* A client that reads nothing, having asked; the backend's wire. */
async function stall(t, { backend, hawser }, target = "/") {
  const wire = await connect(t, hawser.port);
  wire.socket.pause();
  wire.write(get(target));
  await until(() => backend.wires.at(-1)?.all, "the request to arrive");
  return { wire, back: backend.wires.at(-1) };
}

describe("a slow client", () => {
  test("does not hold the server: what it does not take is in a file", async (t) => {
    const world = await start(t, "", big(30));
    const { wire, back } = await stall(t, world);
    const before = isNginx ? 0 : world.hawser.pss();
    await until(() => isEmptied(back), "the server to have said all");
    if (!isNginx) assert.ok(world.hawser.pss() - before < 4 * MB, "memory is bounded");
    if (!isNginx) assert.deepEqual(fs.readdirSync(`${world.hawser.folder}/temp`), [], "a file without a name");
    const other = await ask(t, world.hawser.port, get("/other"), { ms: 20000 });
    assert.equal(other.status, 200);
    wire.socket.resume();
    const answer = await wire.takeResponse("GET", 20000);
    assert.ok(answer.body === body(30));
    wire.write(get("/again"));
    wire.socket.resume();
    assert.ok((await wire.takeResponse("GET", 20000)).body === body(30), "the connection is kept");
  });

  const held = [
    ["with proxy_buffering off", "proxy_buffering off;", ""],
    ["with proxy_max_temp_file_size 0", "proxy_max_temp_file_size 0;", ""],
    ["when the server says X-Accel-Buffering: no", "", "X-Accel-Buffering: no\r\n"],
    ["until proxy_max_temp_file_size is reached", "proxy_max_temp_file_size 1m;", ""],
  ];
  for (const [name, lines, more] of held)
    test(`holds the server ${name}`, async (t) => {
      const world = await start(t, lines, big(30, more));
      const { wire, back } = await stall(t, world);
      await sleep(300);
      assert.ok(!isEmptied(back), "the server still has to wait");
      wire.socket.resume();
      assert.ok((await wire.takeResponse("GET", 20000)).body === body(30));
    });

  test("does not hold it when X-Accel-Buffering: yes, and the field is not passed on", async (t) => {
    const world = await start(t, "proxy_buffering off;", big(20, "X-Accel-Buffering: yes\r\n"));
    const { wire, back } = await stall(t, world);
    await until(() => isEmptied(back), "the server to have said all");
    wire.socket.resume();
    const answer = await wire.takeResponse("GET", 20000);
    assert.equal(answer.get("x-accel-buffering"), undefined);
    assert.ok(answer.body === body(20));
  });

  test("holds it when X-Accel-Buffering is ignored", async (t) => {
    const world = await start(t, "proxy_buffering off; proxy_ignore_headers X-Accel-Buffering;", big(30, "X-Accel-Buffering: yes\r\n"));
    const { back } = await stall(t, world);
    await sleep(300);
    assert.ok(!isEmptied(back));
  });

  test("gets chunks as chunks, whatever was kept of them", async (t) => {
    const world = await start(t, "", (request, wire) => {
      wire.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (let i = 0; i < 20; i++) wire.write(`100000\r\n${String.fromCharCode(97 + i).repeat(MB)}\r\n`);
      wire.write("0\r\n\r\n");
      wire.isSaid = true;
    });
    const { wire, back } = await stall(t, world);
    await until(() => isEmptied(back), "the server to have said all");
    wire.socket.resume();
    assert.ok((await wire.takeResponse("GET", 20000)).body === body(20));
  });

  test("is waited for no longer than send_timeout", { skip: isNginx }, async (t) => {
    const world = await start(t, "send_timeout 1s; error_log stderr info;", big(30));
    const { wire } = await stall(t, world);
    await until(() => /timed out/.test(world.hawser.log), () => `the client to be given up:\n${world.hawser.log}`);
    wire.socket.resume();
    await wire.ended(10000);
    assert.ok(wire.all.length < 30 * MB);
  });
});

describe("what a client can take", () => {
  test("goes to it at once, buffering or not", async (t) => {
    let goOn;
    const has = new Promise((resolve) => (goOn = resolve));
    const { hawser } = await start(t, "", async (request, wire) => {
      wire.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
      wire.write("5\r\nfirst\r\n");
      await has;
      wire.write("6\r\nsecond\r\n0\r\n\r\n");
    });
    const wire = await connect(t, hawser.port);
    wire.write(get());
    await wire.takeTo("first");
    goOn();
    await wire.takeTo("second");
  });
});

describe("an answer's head", () => {
  test("is at most proxy_buffer_size long", async (t) => {
    const { hawser } = await start(t, "proxy_buffer_size 1k; proxy_buffers 4 1k; proxy_busy_buffers_size 2k;", (request, wire) => {
      const fill = "x".repeat(Number(request.target.slice(1)));
      wire.write(`HTTP/1.1 200 OK\r\nX-Fill: ${fill}\r\nContent-Length: 2\r\n\r\nok`);
    });
    assert.equal((await ask(t, hawser.port, get("/900"))).status, 200);
    const answer = await ask(t, hawser.port, get("/1000"));
    assert.equal(answer.status, 502);
    await until(() => /upstream sent too big header while reading response header from upstream/.test(hawser.log), "the log to tell");
  });

  test("with a broken chunk right behind it is a 502", { skip: isNginx }, async (t) => {
    const { hawser } = await start(t, "", (request, wire) => wire.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc"));
    assert.equal((await ask(t, hawser.port, get())).status, 502);
  });
});

describe("trailers", () => {
  const chunked = (request, wire) => wire.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n");
  test("are dropped", async (t) => {
    const { hawser } = await start(t, "", chunked);
    assert.equal((await ask(t, hawser.port, get())).trailers, "");
  });
  test("pass with proxy_pass_trailers", { skip: isNginx }, async (t) => {
    const { hawser } = await start(t, "proxy_pass_trailers on;", chunked);
    assert.equal((await ask(t, hawser.port, get())).trailers, "X-Sum: 1\r\n");
  });
});

describe("limit_rate", () => {
  const seconds = async (t, port, target, length) => {
    const began = performance.now();
    const answer = await ask(t, port, get(target, "Connection: close\r\n"), { ms: 20000 });
    assert.equal(answer.body.length, length);
    return (performance.now() - began) / 1000;
  };
  const answering = (more = "") => (request, wire) => wire.write(`HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n${more}\r\n${"x".repeat(60000)}`);
  const cases = [
    ["of an answer", "limit_rate 20k;", "", 1.5, 4],
    ["of an unbuffered answer", "limit_rate 20k; proxy_buffering off;", "", 1.5, 4],
    ["by a variable", "limit_rate $arg_rate;", "", 1.5, 4],
    ["after some of it", "limit_rate 10k; limit_rate_after 50k;", "", 0, 1.5],
    ["by the server", "", "X-Accel-Limit-Rate: 20000\r\n", 1.5, 4],
    ["not by the server when that is ignored", "proxy_ignore_headers X-Accel-Limit-Rate;", "X-Accel-Limit-Rate: 20000\r\n", 0, 1.5],
    ["no longer, by the server", "limit_rate 1k;", "X-Accel-Limit-Rate: 0\r\n", 0, 1.5],
    ["of what is read of the server", "proxy_limit_rate 20000;", "", 1.5, 4],
  ];
  for (const [name, lines, more, from, to] of cases)
    test(`paces ${name}`, async (t) => {
      const { hawser } = await start(t, lines, answering(more));
      const took = await seconds(t, hawser.port, "/?rate=20k", 60000);
      assert.ok(took >= from && took < to, `took ${took} s`);
    });

  test("paces a text of our own", async (t) => {
    const { hawser } = await start(t, "", answering(), 'location /text { limit_rate 20; return 200 "0123456789012345678901234567890123456789012345678901234567890"; }');
    const took = await seconds(t, hawser.port, "/text", 61);
    assert.ok(took >= 1.5 && took < 4, `took ${took} s`);
  });

  test("paces a file", async (t) => {
    const { hawser } = await start(t, "", answering(), "location /file { limit_rate 20k; }");
    fs.writeFileSync(`${hawser.folder}/file`, "x".repeat(60000));
    const took = await seconds(t, hawser.port, "/file", 60000);
    assert.ok(took >= 1.5 && took < 4, `took ${took} s`);
  });
});

describe("a client that leaves", () => {
  test("ends the server's connection", async (t) => {
    const { backend, hawser } = await start(t, "", () => {});
    const wire = await connect(t, hawser.port);
    wire.write(get());
    await until(() => backend.wires[0]?.all, "the request to arrive");
    wire.destroy();
    await backend.wires[0].closed(2000);
  });
  test("does not, with proxy_ignore_client_abort", async (t) => {
    const { backend, hawser } = await start(t, "proxy_ignore_client_abort on;", () => {});
    const wire = await connect(t, hawser.port);
    wire.write(get());
    await until(() => backend.wires[0]?.all, "the request to arrive");
    wire.destroy();
    await sleep(200);
    assert.ok(!backend.wires[0].isOver);
  });
});
