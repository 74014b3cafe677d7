"use strict";
// How often and how many: limit_req and limit_conn.

const assert = require("node:assert");
const { describe, test } = require("node:test");
const { sleep, until } = require("./lib/base.js");
const { startConfig } = require("./lib/hawser.js");
const { ask, connect, startRawBackend } = require("./lib/wire.js");

const get = (target, ...lines) => `GET ${target} HTTP/1.0\r\nHost: h\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
const fetched = (t, hawser, target, ...lines) => ask(t, hawser.port, get(target, ...lines));
const statuses = async (t, hawser, target, count, ...lines) => {
  const got = [];
  for (let i = 0; i < count; i++) got.push((await fetched(t, hawser, target, ...lines)).status);
  return got;
};
const timed = async (work) => {
  const before = Date.now();
  const result = await work;
  return [result, Date.now() - before];
};

describe("limit_req", () => {
  const config = ({ port, folder }) => `worker_processes 2; error_log stderr info; http {
    limit_req_zone $arg_k zone=one:1m rate=30r/m; limit_req_zone $arg_k zone=slow:1m rate=5r/s;
    limit_req_zone $arg_k zone=two:1m rate=30r/m; limit_req_zone $arg_other zone=other:32k rate=1r/m;
    limit_req_zone $arg_k zone=fast:1m rate=1000r/s;
    add_header X-Limit "$limit_req_status" always;
    server { listen 127.0.0.1:${port}; root ${folder};
      location /plain { limit_req zone=one; }
      location /burst { limit_req zone=one burst=2 nodelay; }
      location /status { limit_req zone=one burst=1 nodelay; limit_req_status 429; limit_req_log_level warn; }
      location /delayed { limit_req zone=slow burst=5; }
      location /some { limit_req zone=slow burst=5 delay=2; }
      location /dry { limit_req zone=one; limit_req_dry_run on; }
      location /both { limit_req zone=two burst=1 nodelay; limit_req zone=other; }
      location /fast { limit_req zone=fast burst=1; } } }`;
  const files = Object.fromEntries(["plain", "burst", "status", "delayed", "some", "dry", "both", "fast"].map((name) => [name, "x"]));
  const start = (t) => startConfig(t, config, { files });

  test("refuses what is beyond rate and burst, a key by itself", async (t) => {
    const hawser = await start(t);
    assert.deepEqual(await statuses(t, hawser, "/plain?k=a", 3), [200, 503, 503]);
    assert.deepEqual(await statuses(t, hawser, "/plain?k=b", 2), [200, 503]);
    assert.deepEqual(await statuses(t, hawser, "/plain", 3), [200, 200, 200], "an empty key is not counted");
    assert.deepEqual(await statuses(t, hawser, "/burst?k=c", 5), [200, 200, 200, 503, 503]);
    assert.deepEqual(await statuses(t, hawser, "/status?k=d", 3), [200, 200, 429]);
    await until(() => /\[error\].* limiting requests, excess: 0\.\d+ by zone "one", client: 127\.0\.0\.1, server: , request: "GET \/plain\?k=a/.test(hawser.log), "the log's line");
    await until(() => /\[warn\].* limiting requests, excess: 1\.\d+ by zone "one"/.test(hawser.log), "the log's line");
  });

  test("delays what is beyond the rate", async (t) => {
    const hawser = await start(t);
    const [answers, ms] = await timed(statuses(t, hawser, "/delayed?k=a", 3));
    assert.deepEqual(answers, [200, 200, 200]);
    assert.ok(ms >= 390 && ms < 1000, `${ms} ms`);
    await until(() => /\[warn\].* delaying request, excess: 0\.\d+, by zone "slow"/.test(hawser.log), "the log's line");
    const [some, soon] = await timed(statuses(t, hawser, "/some?k=b", 3));
    assert.deepEqual(some, [200, 200, 200]);
    assert.ok(soon < 190, `${soon} ms`);
    assert.equal((await fetched(t, hawser, "/some?k=b")).get("x-limit"), "DELAYED");
  });

  test("forgets a client that leaves while it is delayed", async (t) => {
    const hawser = await start(t);
    await fetched(t, hawser, "/delayed?k=z");
    const wire = await connect(t, hawser.port);
    wire.write(get("/delayed?k=z"));
    await until(() => /delaying request/.test(hawser.log), "the delay");
    wire.destroy();
    await until(() => /client (prematurely )?closed connection|client reset/.test(hawser.log), "the log's line");
  });

  test("tells in $limit_req_status, and only tells in a dry run", async (t) => {
    const hawser = await start(t);
    const said = async (target) => (await fetched(t, hawser, target)).get("x-limit");
    assert.equal(await said("/dry?k=a"), "PASSED");
    assert.equal(await said("/dry?k=a"), "REJECTED_DRY_RUN");
    assert.equal(await said("/plain?k=a"), "REJECTED");
    assert.equal(await said("/plain"), undefined);
    await until(() => /limiting requests, dry run, excess: /.test(hawser.log), "the log's line");
  });

  test("counts in several zones all or nothing", async (t) => {
    const hawser = await start(t);
    assert.deepEqual(await statuses(t, hawser, "/both?k=a&other=1", 3), [200, 503, 503], "the second zone's");
    assert.deepEqual(await statuses(t, hawser, "/both?k=a", 2), [200, 503], "what was refused is not counted in the first");
    assert.deepEqual(await statuses(t, hawser, "/fast?k=a", 3), [200, 200, 200]);
    await sleep(100);
    assert.deepEqual(await statuses(t, hawser, "/fast?k=a", 1), [200]);
  });

  test("is bounded: the oldest key goes when the zone is full", async (t) => {
    const hawser = await start(t);
    for (let i = 0; i < 600; i += 50)
      await Promise.all(Array.from({ length: 50 }, (_, k) => fetched(t, hawser, `/both?other=${i + k}`)));
    assert.equal((await fetched(t, hawser, "/both?other=0")).status, 200, "forgotten");
    assert.equal((await fetched(t, hawser, "/both?other=599")).status, 503, "remembered");
  });

  test("goes on counting over a reload, and refuses another key", async (t) => {
    const hawser = await start(t);
    assert.deepEqual(await statuses(t, hawser, "/plain?k=a", 2), [200, 503]);
    hawser.reload(config(hawser));
    await until(() => /configuration reloaded/.test(hawser.log) || /reconfiguring/.test(hawser.log), "the reload");
    assert.deepEqual(await statuses(t, hawser, "/plain?k=a", 1), [503]);
    hawser.reload(config(hawser).replace("limit_req_zone $arg_k zone=one", "limit_req_zone $arg_j zone=one"));
    await until(() => /limit_req "one" uses the "\$arg_j" key while previously it used the "\$arg_k" key/.test(hawser.log), "the error");
    assert.deepEqual(await statuses(t, hawser, "/plain?k=a", 1), [503]);
  });
});

describe("limit_conn", () => {
  const config = (backend) => ({ port }) => `worker_processes 2; error_log stderr info; http {
    limit_conn_zone $arg_k zone=conns:1m; limit_conn_zone $server_name zone=all:1m;
    add_header X-Limit "$limit_conn_status" always;
    server { listen 127.0.0.1:${port}; server_name s; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";
      location / { limit_conn conns 2; proxy_pass http://127.0.0.1:${backend.port}; }
      location /status { limit_conn conns 1; limit_conn all 100; limit_conn_status 429; limit_conn_log_level info; proxy_pass http://127.0.0.1:${backend.port}; }
      location /dry { limit_conn conns 1; limit_conn_dry_run on; proxy_pass http://127.0.0.1:${backend.port}; } } }`;
  const upgrade = (target) =>
    `GET ${target} HTTP/1.1\r\nHost: s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;
  const held = [];
  const serve = async (wire) => {
    for (;;) {
      const request = await wire.takeRequest(60000);
      if (request.get("upgrade") && !/plain/.test(request.target)) {
        wire.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
        return;
      }
      if (/hang/.test(request.target)) await new Promise((go) => held.push(go));
      wire.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  };
  /* So many requests at once, of which the server gets `passed`; it answers when the others have been. */
  async function together(t, hawser, target, count, passed) {
    const asked = Array.from({ length: count }, () => fetched(t, hawser, target));
    await until(() => held.length === passed, () => `${passed} requests at the server, have ${held.length}`);
    if (passed < count) await Promise.race(asked);
    held.splice(0).forEach((go) => go());
    return Promise.all(asked);
  }
  async function start(t) {
    const backend = await startRawBackend(t, serve);
    return startConfig(t, config(backend));
  }

  test("counts requests under way", async (t) => {
    const hawser = await start(t);
    const three = await together(t, hawser, "/hang?k=a", 3, 2);
    assert.deepEqual(three.map((one) => one.status).sort(), [200, 200, 503]);
    assert.deepEqual(await statuses(t, hawser, "/x?k=a", 3), [200, 200, 200]);
    await until(() => /\[error\].* limiting connections by zone "conns"/.test(hawser.log), "the log's line");
  });

  test("counts a tunnel for as long as it lives", async (t) => {
    const hawser = await start(t);
    const open = async (target) => {
      const wire = await connect(t, hawser.port);
      wire.write(upgrade(target));
      const head = await wire.takeHead();
      return Object.assign(head, { wire });
    };
    const tunnels = [await open("/?k=t"), await open("/?k=t")];
    assert.deepEqual(tunnels.map((one) => one.status), [101, 101]);
    const refused = await open("/?k=t");
    assert.equal(refused.status, 503);
    assert.equal(refused.get("x-limit"), "REJECTED");
    assert.equal((await open("/?k=other")).status, 101);
    tunnels[0].wire.reset();
    await until(async () => (await fetched(t, hawser, "/plain?k=t")).status === 200, "the place");
    assert.equal((await open("/?k=t")).status, 101);
  });

  test("has a status, a level and a dry run of its own", async (t) => {
    const hawser = await start(t);
    const two = await together(t, hawser, "/status/hang?k=a", 2, 1);
    assert.deepEqual(two.map((one) => one.status).sort(), [200, 429]);
    const dry = await together(t, hawser, "/dry/hang?k=b", 2, 2);
    assert.deepEqual(dry.map((one) => one.get("x-limit")).sort(), ["PASSED", "REJECTED_DRY_RUN"]);
    await until(() => /\[info\].* limiting connections by zone "conns"/.test(hawser.log), "the log's line");
    await until(() => /limiting connections, dry run, by zone "conns"/.test(hawser.log), "the log's line");
  });
});
