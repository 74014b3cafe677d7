"use strict";
// How long connections of clients are kept, and how they are closed: keepalive_*, lingering_*, reset_timedout_connection.

const assert = require("node:assert");
const fs = require("node:fs");
const { after, before, describe, test } = require("node:test");
const { Crew, sleep } = require("./lib/base.js");
const { startConfig } = require("./lib/hawser.js");
const { ask, connect } = require("./lib/wire.js");

test("keepalive_min_timeout: a graceful end leaves an idle connection for that long", async (t) => {
  const config = ({ port }) => `http { server { listen 127.0.0.1:${port}; keepalive_timeout 60s;
    location / { return 200 "x"; } location /kept { keepalive_min_timeout 1500ms; return 200 "x"; } } }`;
  const hawser = await startConfig(t, config);
  const [plain, asks, waits] = await Promise.all([1, 2, 3].map(() => connect(t, hawser.port)));
  const request = (target) => `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`;
  for (const [wire, target] of [[plain, "/"], [asks, "/kept"], [waits, "/kept"]]) {
    wire.write(request(target));
    assert.equal((await wire.takeResponse("GET")).get("connection"), "keep-alive");
  }
  const began = performance.now();
  hawser.signal("SIGQUIT");
  assert.equal(await plain.ended(1000), "");
  asks.write(request("/kept"));
  assert.equal((await asks.takeResponse("GET")).get("connection"), "close");
  assert.equal(await waits.ended(5000), "");
  const took = performance.now() - began;
  assert.ok(took > 1000 && took < 4000, `${took} ms`);
});

describe("connections of clients", () => {
  const crew = new Crew();
  let hawser;
  before(async () => {
    hawser = await startConfig(
      crew,
      ({ port }) => `http {
  server {
    listen 127.0.0.1:${port};
    client_header_timeout 300ms;
    location / { return 200 "x"; }
    location /three { keepalive_requests 3; return 200 "x"; }
    location /young { keepalive_time 300ms; return 200 "x"; }
    location /never { keepalive_timeout 0; return 200 "x"; }
    location /told { keepalive_timeout 60s 30s; return 200 "x"; }
    location /cut { return 444; }
    location /reset { reset_timedout_connection on; return 444; }
    location /slow { client_body_timeout 300ms; proxy_pass http://127.0.0.1:1; }
    location /linger { lingering_close always; lingering_timeout 300ms; keepalive_timeout 0; return 200 "x"; }
    location /abrupt { lingering_close off; keepalive_timeout 0; return 200 "x"; }
  }
}`,
    );
  });
  after(() => crew.end());

  const get = (target, more = "") => `GET ${target} HTTP/1.1\r\nHost: h\r\n${more}\r\n`;

  test("keepalive_requests: the third answer is the last", async (t) => {
    const wire = await connect(t, hawser.port);
    for (const kept of ["keep-alive", "keep-alive", "close"]) {
      wire.write(get("/three"));
      assert.equal((await wire.takeResponse("GET")).get("connection"), kept);
    }
    assert.equal(await wire.ended(2000), "");
  });

  test("keepalive_time: an old connection is not kept", async (t) => {
    const wire = await connect(t, hawser.port);
    wire.write(get("/young"));
    assert.equal((await wire.takeResponse("GET")).get("connection"), "keep-alive");
    await sleep(350);
    wire.write(get("/young"));
    assert.equal((await wire.takeResponse("GET")).get("connection"), "close");
  });

  test("keepalive_timeout 0 keeps none, and a second time is told", async (t) => {
    assert.equal((await ask(t, hawser.port, get("/never"))).get("connection"), "close");
    assert.equal((await ask(t, hawser.port, get("/told"))).get("keep-alive"), "timeout=30");
  });

  test("who sends no whole head in time is not answered", async (t) => {
    const wire = await connect(t, hawser.port);
    wire.write("GET / HTTP/1.1\r\nHo");
    assert.equal(await wire.ended(2000), "");
  });

  test("who sends no body in time is not answered", async (t) => {
    const wire = await connect(t, hawser.port);
    wire.write("POST /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhalf");
    assert.equal(await wire.ended(3000), "");
  });

  test("444 closes, with reset_timedout_connection by RST", async (t) => {
    const cut = await connect(t, hawser.port);
    cut.write(get("/cut"));
    assert.equal(await cut.ended(2000), "");
    const reset = await connect(t, hawser.port);
    const error = new Promise((resolve) => reset.socket.once("error", (e) => resolve(e.code)));
    reset.write(get("/reset"));
    assert.equal(await error, "ECONNRESET");
  });

  test("lingering_close always reads on behind the answer", async (t) => {
    const wire = await connect(t, hawser.port);
    wire.write(get("/linger"));
    assert.equal((await wire.takeResponse("GET")).get("connection"), "close");
    wire.write("more");
    assert.equal(await wire.ended(2000), "");
  });
});
