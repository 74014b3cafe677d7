"use strict";
// Active health checks: what is asked, what counts, and what a change of state does.

const assert = require("node:assert");
const http = require("node:http");
const { describe, test } = require("node:test");
const { until, inBatches, SLOW } = require("./lib/base.js");
const { startConfig } = require("./lib/hawser.js");
const { startNode, startNodes } = require("./lib/nodes.js");
const { connect, ask, startRawBackend } = require("./lib/wire.js");
const { frame, handshake, switching } = require("./lib/frames.js");

/* A web server whose /health says what `health` says: { status, headers, body }. */
async function startServer(t) {
  const server = http.createServer((request, response) => {
    state.seen.push({ line: `${request.method} ${request.url} HTTP/${request.httpVersion}`, at: performance.now(), headers: request.headers });
    const { status = 200, headers = {}, body = "" } = request.url.startsWith("/health") ? state.health : { body: state.name };
    response.writeHead(status, headers);
    response.end(request.method === "HEAD" ? undefined : body);
  });
  const state = { server, health: {}, seen: [] };
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => new Promise((resolve) => (server.closeAllConnections?.(), server.close(resolve))));
  state.port = server.address().port;
  state.name = `server ${state.port}`;
  state.probes = () => state.seen.filter(({ line }) => line.includes("/health"));
  return state;
}

const configOf = (servers, checks, { blocks = "", location = "" } = {}) => ({ port }) => `error_log stderr notice; http { ${blocks}
  upstream nodes { ${servers.map(({ port }) => `server 127.0.0.1:${port};`).join(" ")} sticky sid; ${checks} }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://nodes; ${location} } } }`;

const changes = (hawser, port, state) => hawser.log.split("\n").filter((line) => line.includes(`upstream server 127.0.0.1:${port} of "nodes" is ${state}:`));
const becomes = (hawser, port, state, times = 1) =>
  until(() => changes(hawser, port, state).length >= times, () => `${port} to be ${state}:\n${hawser.log}`, 15000);

/* Who answers so many requests. */
async function answering(t, hawser, count = 6) {
  const answers = await inBatches(count, 1, () => ask(t, hawser.port, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  return new Set(answers.map(({ status, body }) => (status === 200 ? body : String(status))));
}

describe("active health checks", () => {
  test("HAProxy's HEAD /health expecting 200: rise 2, fall 3, and a 204 is a failure", async (t) => {
    const [a, b] = [await startServer(t), await startServer(t)];
    const check = `check interval=200 rise=2 fall=3 timeout=1000 type=http;
      check_http_send "HEAD /health HTTP/1.0\\r\\n\\r\\n"; check_http_expect_alive 200;`;
    const hawser = await startConfig(t, configOf([a, b], check));
    assert.deepEqual(await answering(t, hawser), new Set([a.name, b.name]), "used before the first verdict");
    await becomes(hawser, a.port, "up");
    assert.equal(a.probes()[0].line, "HEAD /health HTTP/1.0");
    const before = a.probes().length;
    a.health = { status: 204 };
    await becomes(hawser, a.port, "down");
    assert.match(changes(hawser, a.port, "down")[0], /\[warn\].*answered with status 204 \(3 checks in a row\)/);
    assert.ok(a.probes().length - before >= 3);
    assert.deepEqual(await answering(t, hawser), new Set([b.name]));
    a.health = { status: 200 };
    await becomes(hawser, a.port, "up", 2);
    assert.match(changes(hawser, a.port, "up")[1], /\[notice\].*passed \(2 checks in a row\)/);
    assert.deepEqual(await answering(t, hawser), new Set([a.name, b.name]));
  });

  test("counts are of verdicts in a row", async (t) => {
    const a = await startServer(t);
    let asked = 0; // two of three are bad
    Object.defineProperty(a, "health", { get: () => ({ status: asked++ % 3 ? 500 : 200 }) });
    const hawser = await startConfig(t, configOf([a], "check interval=50 rise=1 fall=3 timeout=1000 type=http uri=/health;"));
    await until(() => asked >= 15, "fifteen checks");
    assert.equal(changes(hawser, a.port, "down").length, 0, hawser.log);
    assert.deepEqual(await answering(t, hawser, 2), new Set([a.name]));
  });

  test("default_down: nobody is asked before enough checks have passed", async (t) => {
    const a = await startServer(t);
    const hawser = await startConfig(t, configOf([a], "check interval=300 rise=2 fall=2 timeout=1000 type=http uri=/health default_down=true;"));
    if (changes(hawser, a.port, "up").length === 0) assert.deepEqual(await answering(t, hawser, 1), new Set(["502"]));
    await becomes(hawser, a.port, "up");
    assert.ok(a.probes().length >= 2);
    assert.deepEqual(await answering(t, hawser, 2), new Set([a.name]));
  });

  test("health_check with a match block: status, header and body", async (t) => {
    const [a, b] = [await startServer(t), await startServer(t)];
    const good = { status: 200, headers: { "Content-Type": "application/json", "X-State": "in service" }, body: '{"ok":true}' };
    a.health = b.health = good;
    const blocks = `match lively { status 200-299; header Content-Type ~* JSON; header ! X-Broken;
      header X-State = "in service"; body ~ "ok.:true"; }`;
    const hawser = await startConfig(t, configOf([a, b], "", { blocks, location: "health_check interval=200ms fails=2 passes=1 uri=/health match=lively timeout=1s;" }));
    await becomes(hawser, a.port, "up");
    assert.equal(a.probes()[0].line, "GET /health HTTP/1.1");
    assert.equal(a.probes()[0].headers.host, "nodes");
    let times = 0;
    for (const [bad, why] of [
      [{ ...good, status: 301 }, "answered with status 301"],
      [{ ...good, headers: { ...good.headers, "Content-Type": "text/html" } }, "a header field is not as expected"],
      [{ ...good, headers: { ...good.headers, "X-Broken": "1" } }, "a header field is not as expected"],
      [{ ...good, headers: { "Content-Type": "application/json" } }, "a header field is not as expected"],
      [{ ...good, body: "{}" }, "the body is not as expected"],
    ]) {
      a.health = bad;
      await becomes(hawser, a.port, "down", ++times);
      assert.ok(changes(hawser, a.port, "down").at(-1).includes(`is down: ${why}`), changes(hawser, a.port, "down").at(-1));
      a.health = good;
      await becomes(hawser, a.port, "up", times + 1);
    }
    assert.equal(changes(hawser, b.port, "down").length, 0);
  });

  test("a node that hangs is out of service in time, and new clients do not wait on it", async (t) => {
    const nodes = await startNodes(t);
    const [interval, fall, timeout] = [300, 2, 400];
    const hawser = await startConfig(t, configOf(nodes, `check interval=${interval} rise=1 fall=${fall} timeout=${timeout} type=socketio;`));
    for (const { port } of nodes) await becomes(hawser, port, "up");
    const from = performance.now();
    nodes[0].signal("SIGSTOP");
    await becomes(hawser, nodes[0].port, "down");
    const took = performance.now() - from;
    assert.ok(took <= (interval * fall + timeout) * SLOW + 2000, `${took} ms`); // what else this machine does
    assert.match(changes(hawser, nodes[0].port, "down")[0], /no answer in time/);
    const slowest = Math.max(...(await inBatches(30, 10, async () => {
      const at = performance.now();
      const answer = await ask(t, hawser.port, "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
      assert.equal(answer.status, 200);
      return performance.now() - at;
    })));
    assert.ok(slowest < 2000 * SLOW, `${slowest} ms`);
    nodes[0].signal("SIGCONT");
    await becomes(hawser, nodes[0].port, "up", 2);
  });

  test("type=socketio ends the sessions that it opens, and sees a server that is none", async (t) => {
    const node = await startNode(t, { name: "a" });
    const none = await startServer(t);
    const hawser = await startConfig(t, configOf([node, none], "check interval=150 rise=1 fall=2 timeout=1000 type=socketio;"));
    await becomes(hawser, node.port, "up");
    await becomes(hawser, none.port, "down");
    assert.match(changes(hawser, none.port, "down")[0], /its answer has no Engine.IO open packet/);
    await until(async () => (await node.stats()).handshakes >= 5, "five checks");
    const stats = await until(async () => {
      const stats = await node.stats();
      return Object.keys(stats.closed).length >= stats.handshakes - 1 && stats;
    }, "the sessions of the checks to be closed");
    assert.deepEqual(stats.errors, []);
  });

  test("type=websocket makes a whole handshake and a close", async (t) => {
    const node = await startNode(t, { name: "a" });
    const closes = [];
    const raw = await startRawBackend(t, async (wire) => {
      const request = await wire.takeRequest();
      wire.write(switching(request));
      closes.push(await wire.take(8));
      wire.end(frame("\x03\xe8", { op: 8 }));
    });
    const wrong = await startRawBackend(t, async (wire) => wire.write(switching(await wire.takeRequest(), "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")));
    const hawser = await startConfig(t, configOf([node, raw, wrong], "check interval=150 rise=1 fall=2 timeout=1000 type=websocket;"));
    await becomes(hawser, node.port, "up");
    await becomes(hawser, raw.port, "up");
    await becomes(hawser, wrong.port, "down");
    assert.match(changes(hawser, wrong.port, "down")[0], /did not accept the WebSocket handshake/);
    await until(() => closes.length >= 2, "close frames");
    assert.equal(closes[0].slice(0, 2), "\x88\x82", "a close frame, masked, with a code");
    assert.deepEqual((await node.stats()).errors, []);
  });

  test("on_down close: tunnels of a server that is unwell get a close frame 1012 between frames; keep leaves them", async (t) => {
    const backend = (health) => startRawBackend(t, async (wire) => {
      const request = await wire.takeRequest();
      if (request.target === "/health") return wire.end(`HTTP/1.1 ${health.status} X\r\nContent-Length: 0\r\n\r\n`);
      wire.write(switching(request));
      wire.socket.on("data", () => {});
      (health.wires ||= []).push(wire);
    });
    for (const rule of ["close", "keep"]) {
      const health = { status: 200 };
      const server = await backend(health);
      const hawser = await startConfig(t, configOf([server], `on_down ${rule}; drain_time 500ms; check interval=100 rise=1 fall=2 timeout=1000 type=http uri=/health;`));
      await becomes(hawser, server.port, "up");
      const wires = await inBatches(10, 10, async () => {
        const wire = await connect(t, hawser.port);
        wire.write(handshake({}));
        assert.equal((await wire.takeHead()).status, 101);
        return wire;
      });
      await until(() => health.wires?.length === 10, "the tunnels");
      const half = frame("hello");
      health.wires.forEach((wire) => wire.write(frame("whole") + half.slice(0, 4)));
      for (const wire of wires) await wire.take(7 + 4);
      health.status = 503;
      await becomes(hawser, server.port, "down");
      if (rule === "close") {
        health.wires.forEach((wire) => wire.write(half.slice(4)));
        for (const wire of wires) {
          assert.equal(await wire.take(3), half.slice(4));
          assert.equal(await wire.take(4, 8000), "\x88\x02\x03\xf4");
          await wire.ended();
        }
      } else {
        health.wires.forEach((wire) => wire.write(half.slice(4) + frame("still here")));
        for (const wire of wires) assert.equal(await wire.take(3 + 12), half.slice(4) + frame("still here"));
      }
    }
  });
});
