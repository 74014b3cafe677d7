"use strict";
// Nodes that hang, clients that dawdle, stall or vanish: nobody else may notice.

const assert = require("node:assert");
const { execFileSync, spawn } = require("node:child_process");
const path = require("node:path");
const { describe, test } = require("node:test");
const { sleep, atRest, until, within, inBatches, freePort, SLOW, isSanitized } = require("./lib/base.js");
const { startOneliner, startConfig, isNginx } = require("./lib/hawser.js");
const { startNodes } = require("./lib/nodes.js");
const { joinClient, echo, leave } = require("./lib/sio.js");
const { connect, ask, startRawBackend } = require("./lib/wire.js");
const { handshake, switching } = require("./lib/frames.js");

const KB = 1024;
const MB = 1024 * KB;
const url = (node) => node.url;
const percentile = (values, part) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))];

async function tunnel(t, port, target) {
  const wire = await connect(t, port);
  wire.write(handshake({ target }));
  assert.equal((await wire.takeHead()).status, 101);
  return wire;
}
async function roundTrip(wire, text = "x") {
  const from = performance.now();
  wire.write(text);
  await new Promise((resolve) => {
    const hear = () => wire.rest.length >= text.length && (wire.socket.off("data", hear), resolve());
    wire.socket.on("data", hear);
    hear();
  });
  assert.equal(await wire.take(text.length), text);
  return performance.now() - from;
}

/* Upgrades everything; /flood tunnels get `bytes` bytes, from their first byte on, as fast as they are taken; the others
 * get their own bytes back. */
async function startFlood(t, bytes) {
  const block = Buffer.alloc(64 * KB, "flood");
  const flooded = [];
  const backend = await startRawBackend(t, async (wire) => {
    const request = await wire.takeRequest();
    wire.socket.write(switching(request));
    if (request.target !== "/flood") return wire.socket.on("data", (data) => wire.socket.write(data));
    const state = { wire, sent: 0, taken: () => wire.socket.bytesWritten - wire.socket.writableLength };
    flooded.push(state);
    const more = () => {
      while (state.sent < bytes) {
        state.sent += block.length;
        if (!wire.socket.write(block)) return wire.socket.once("drain", more);
      }
    };
    wire.socket.once("data", more);
  });
  return Object.assign(backend, { flooded });
}

/* The client says one byte, so that the flood begins, and reads no more. */
function stall(wire) {
  wire.socket.pause();
  wire.write("!");
}

/* Waits until the backend's bytes come to rest. */
async function stuck(backend, count) {
  await until(() => backend.flooded.length === count, "the tunnels");
  return atRest(() => backend.flooded.reduce((total, { taken }) => total + taken(), 0));
}

describe("a node that hangs", () => {
  test("costs no new client more than 3.5 s, none its handshake, and is set aside within 5 s", async (t) => {
    const nodes = await startNodes(t);
    const hawser = await startOneliner(t, nodes.map(url));
    const talkers = await inBatches(30, 10, () => joinClient(t, hawser.url, { mode: "websocket" }));
    const [hung] = nodes;
    const others = talkers.filter((client) => client.hello.node !== hung.name);
    assert.ok(others.length >= 15);

    hung.signal("SIGSTOP");
    const from = performance.now();
    const joins = [];
    const talks = [];
    const open = async (i) => {
      const at = performance.now() - from;
      const isPolling = i % 2 === 0;
      const target = `/socket.io/?EIO=4&transport=${isPolling ? "polling" : "websocket"}`;
      const text = isPolling ? `GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n` : handshake({ target });
      const wire = await connect(t, hawser.port);
      wire.write(text);
      const { status } = await wire.takeHead(20000);
      const took = performance.now() - from - at;
      wire.destroy();
      return { at, took, status, isPolling };
    };
    for (let i = 0; performance.now() - from < 7500; i++) {
      joins.push(open(i).catch((error) => ({ error })));
      talks.push(...(await Promise.all(others.slice(0, 5).map(async (client) => {
        const at = performance.now();
        await echo(client, i);
        return performance.now() - at;
      }))));
      await sleep(100);
    }
    const results = await Promise.all(joins);
    const failed = results.filter(({ error, status, isPolling }) => error || status !== (isPolling ? 200 : 101));
    assert.deepEqual(failed, [], "failed handshakes");
    const slowest = Math.max(...results.map(({ took }) => took));
    const lastSlow = Math.max(0, ...results.filter(({ took }) => took > 500 * SLOW).map(({ at }) => at));
    t.diagnostic(`${results.length} handshakes: the slowest took ${slowest.toFixed(0)} ms, the last slow one began after ${lastSlow.toFixed(0)} ms; talk p99 ${percentile(talks, 0.99).toFixed(1)} ms`);
    assert.ok(slowest <= 3500 * SLOW, `${slowest} ms`);
    assert.ok(lastSlow <= 5000 * SLOW, `still slow after ${lastSlow} ms`);
    assert.ok(percentile(talks, 0.99) < 100 * SLOW, `others talk at ${percentile(talks, 0.99)} ms`);
    for (const client of others) assert.deepEqual(client.losses, []);
    talkers.forEach(leave);
  });
});

describe("slow clients", () => {
  test("2,000 of them, a header byte a second each, are not noticed", async (t) => {
    const nodes = await startNodes(t, { names: ["a"] });
    const hawser = await startOneliner(t, nodes.map(url));
    const client = await joinClient(t, hawser.url, { mode: "websocket" });
    const measure = async () => {
      const times = [];
      for (let i = 0; i < 200; i++) {
        const from = performance.now();
        if (i % 2) await echo(client, i);
        else assert.equal((await fetch(hawser.url)).status, 200);
        times.push(performance.now() - from);
      }
      return { median: percentile(times, 0.5), p99: percentile(times, 0.99) };
    };
    await measure();
    const alone = await measure();
    const text = `GET /?${"x".repeat(100)}`;
    const slow = await inBatches(2000, 100, () => connect(t, hawser.port));
    let at = 0;
    const drip = () => {
      for (const wire of slow) if (!wire.isOver) wire.write(text[at]);
      at++;
    };
    drip();
    const timer = setInterval(drip, 1000);
    t.after(() => clearInterval(timer));
    const among = await measure();
    const dripped = at;
    await until(() => at > dripped, "another byte of each");
    const again = await measure();
    t.diagnostic(`alone ${JSON.stringify(alone)}, among slow ones ${JSON.stringify([among, again])} ms`);
    for (const { median, p99 } of [among, again]) {
      assert.ok(median < 3 * alone.median + 5 * SLOW, `median of ${median} ms, alone ${alone.median} ms`);
      assert.ok(p99 < 3 * alone.p99 + 60 * SLOW, `p99 of ${p99} ms, alone ${alone.p99} ms`);
    }
    clearInterval(timer);
    assert.equal(slow.filter((wire) => wire.isOver).length, 0, "some were closed too early");
  });

  test("have client_header_timeout for the whole head, however often they send", async (t) => {
    const hawser = await startConfig(t, ({ port }) => `http { server { listen 127.0.0.1:${port}; client_header_timeout 1s; location / { return 200 ok; } } }`);
    const wire = await connect(t, hawser.port);
    const from = performance.now();
    wire.write("GET / HTTP/1.1\r\nHost: ");
    const timer = setInterval(() => wire.write("x"), 100);
    t.after(() => clearInterval(timer));
    await wire.closed(4000);
    const took = performance.now() - from;
    assert.ok(took > 800 && took < 2500 * SLOW, `closed after ${took} ms`);
  });
});

describe("readers that stop", () => {
  test("one, while 1 GiB is sent to it: bounded memory, nobody slowed, and it gets all when it reads on", async (t) => {
    const bytes = isSanitized ? 128 * MB : 1024 * MB;
    const backend = await startFlood(t, bytes);
    const hawser = await startOneliner(t, [`http://127.0.0.1:${backend.port}`]);
    const other = await tunnel(t, hawser.port);
    for (let i = 0; i < 20; i++) await roundTrip(other);
    const wire = await tunnel(t, hawser.port, "/flood");
    const before = hawser.pss();
    stall(wire);
    const taken = await stuck(backend, 1);
    const grown = hawser.pss() - before;
    const times = [];
    for (let i = 0; i < 100; i++) times.push(await roundTrip(other));
    t.diagnostic(`${taken >> 10} KiB went into buffers; grown by ${grown} bytes; another's p99 ${percentile(times, 0.99).toFixed(1)} ms`);
    assert.ok(taken < 32 * MB, `${taken} bytes were taken in`);
    if (!isSanitized) assert.ok(grown < MB, `grown by ${grown} bytes`);
    assert.ok(percentile(times, 0.99) < 50 * SLOW);

    let got = wire.rest.length;
    wire.socket.removeAllListeners("data");
    wire.socket.on("data", (data) => (got += data.length)).resume();
    await until(() => got >= bytes, () => `${bytes} bytes, have ${got}`, 60000);
    assert.equal(got, bytes);
    if (!isSanitized) assert.ok(hawser.pss() - before < MB);
  });

  test("the same for a plain download", async (t) => {
    const backend = await startRawBackend(t, async (wire) => {
      const { target } = await wire.takeRequest();
      if (target === "/small") return wire.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      wire.socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${1024 * MB}\r\n\r\n`);
      const block = Buffer.alloc(64 * KB);
      const more = () => {
        while (!wire.isClosed && wire.socket.write(block));
        wire.socket.once("drain", more);
      };
      more();
    });
    const hawser = await startOneliner(t, [`http://127.0.0.1:${backend.port}`]);
    for (let i = 0; i < 4; i++) await ask(t, hawser.port, "GET /small HTTP/1.1\r\nHost: h\r\n\r\n");
    const before = hawser.pss();
    const wire = await connect(t, hawser.port);
    wire.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    await wire.takeTo("\r\n\r\n");
    wire.socket.pause();
    const [back] = backend.wires.slice(-1);
    await atRest(() => back.socket.bytesWritten - back.socket.writableLength);
    const grown = hawser.pss() - before;
    t.diagnostic(`grown by ${grown} bytes`);
    if (!isSanitized) assert.ok(grown < MB, `grown by ${grown} bytes`);
  });

  test("100 of them: little memory of ours, at most 1 MB of the kernel's each", async (t) => {
    const count = 100;
    const backend = await startFlood(t, 64 * MB);
    const hawser = await startOneliner(t, [`http://127.0.0.1:${backend.port}`]);
    const other = await tunnel(t, hawser.port);
    const wires = await inBatches(count, 20, () => tunnel(t, hawser.port, "/flood"));
    // Each loop's own read buffer is touched before, as it is nobody's stalling.
    for (const wire of await inBatches(12, 12, () => tunnel(t, hawser.port))) await roundTrip(wire, "x".repeat(200 * KB));
    const before = hawser.pss();
    wires.forEach(stall);
    const taken = await stuck(backend, count);
    const grown = hawser.pss() - before;
    const times = [];
    for (let i = 0; i < 100; i++) times.push(await roundTrip(other));
    const kernel = kernelBytes(hawser.port, backend.port);
    t.diagnostic(`${Math.round(taken / count / KB)} KiB a reader in all buffers, ${kernel === null ? "?" : Math.round(kernel / count / KB)} KiB of it in the proxy's sockets; grown by ${grown} bytes; another's p99 ${percentile(times, 0.99).toFixed(1)} ms`);
    if (kernel !== null && !isNginx) assert.ok(kernel / count < MB, `${kernel / count} bytes of kernel memory each`);
    if (!isSanitized) assert.ok(grown <= 64 * KB, `grown by ${grown} bytes`);
    assert.ok(percentile(times, 0.99) < 50 * SLOW);
  });
});

/* What the proxy's own sockets hold, both halves; null without ss(8). */
function kernelBytes(front, back) {
  try {
    const text = execFileSync("ss", ["-tnmH", "state", "established", `( sport = :${front} or dport = :${back} )`], { encoding: "latin1" });
    let sum = 0;
    for (const [, r, w] of text.matchAll(/skmem:\(r(\d+),.*?,w(\d+)/g)) sum += Number(r) + Number(w);
    return sum;
  } catch {
    return null;
  }
}

describe("clients that vanish without a word", () => {
  test("are let go within 45 s, idle or talked to", async (t) => {
    const net = namespace(t);
    if (!net) return t.skip("needs root, ip(8) and network namespaces");
    const backend = await startRawBackend(t, async (wire) => {
      const request = await wire.takeRequest();
      wire.target = request.target;
      wire.write(switching(request));
      if (request.target === "/talk") {
        const timer = setInterval(() => wire.write("."), 500);
        wire.socket.once("close", () => clearInterval(timer));
      }
    });
    const port = await freePort();
    const hawser = await startConfig(t, () => `http { server { listen ${net.host}:${port}; listen 127.0.0.1:${port}; location / {
      proxy_pass http://127.0.0.1:${backend.port}; proxy_read_timeout 1h; proxy_send_timeout 1h; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; } } }`, { port });
    const client = spawn("ip", ["netns", "exec", net.name, process.execPath, path.join(__dirname, "lib/far-client.js"), net.host, String(port), "/idle", "/talk"], { stdio: ["ignore", "pipe", "inherit"] });
    t.after(() => client.kill("SIGKILL"));
    await within(10000, new Promise((resolve) => client.stdout.once("data", resolve)), "the far clients' tunnels");
    const wires = backend.wires.filter((wire) => wire.target);
    assert.equal(wires.length, 2);
    net.cut();
    const from = performance.now();
    for (const wire of wires) {
      await until(() => wire.isOver, `the end of ${wire.target}`, 45000 / SLOW);
      t.diagnostic(`${wire.target} let go after ${((performance.now() - from) / 1000).toFixed(1)} s`);
    }
    assert.ok(!hawser.ending);
  });
});

/* A network of two, the other end in a namespace of its own; null where that cannot be. */
function namespace(t) {
  if (process.getuid() !== 0) return null;
  const id = process.pid % 60000;
  const name = `hawser-e2e-${id}`;
  const [here, there] = [`hwa${id}`, `hwb${id}`];
  const prefix = `10.213.${id % 256}`;
  const ip = (...args) => execFileSync("ip", args, { stdio: ["ignore", "pipe", "pipe"] });
  /* One end of the pair goes with the other, at a moment of the kernel's choosing. */
  const undo = (...args) => {
    try {
      ip(...args);
    } catch {
      /* it is gone already */
    }
  };
  try {
    ip("netns", "add", name);
    t.after(() => undo("netns", "del", name));
    ip("link", "add", here, "type", "veth", "peer", "name", there);
    t.after(() => undo("link", "del", here));
    ip("link", "set", there, "netns", name);
    ip("addr", "add", `${prefix}.1/24`, "dev", here);
    ip("link", "set", here, "up");
    ip("-n", name, "addr", "add", `${prefix}.2/24`, "dev", there);
    ip("-n", name, "link", "set", there, "up");
    ip("-n", name, "link", "set", "lo", "up");
  } catch {
    return null;
  }
  /* Packets are lost on the way from now on; neither end learns of it. */
  const cut = () => {
    ip("-n", name, "addr", "del", `${prefix}.2/24`, "dev", there);
    ip("neigh", "replace", `${prefix}.2`, "lladdr", "02:00:00:00:00:99", "dev", here, "nud", "permanent");
  };
  return { name, host: `${prefix}.1`, cut };
}
