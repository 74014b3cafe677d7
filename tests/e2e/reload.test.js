"use strict";
// SIGHUP: a new configuration without losing anything. SIGQUIT: an end that waits. SIGTERM: one that does not.

const assert = require("node:assert");
const fs = require("node:fs");
const { describe, test } = require("node:test");
const { Crew, sleep, until, within, freePort, SLOW, isSanitized } = require("./lib/base.js");
const { startConfig, startOneliner, isNginx } = require("./lib/hawser.js");
const { connect, ask, startRawBackend } = require("./lib/wire.js");
const { handshake, switching } = require("./lib/frames.js");

const answer = (text, port) => `http { server { listen 127.0.0.1:${port}; location / { return 200 "${text}"; } } }`;
const get = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
const bodyNow = async (hawser) => {
  const crew = new Crew();
  return (await ask(crew, hawser.port, get).finally(() => crew.end())).body;
};
const becomes = (hawser, text) => until(async () => (await bodyNow(hawser)) === text, `the answer "${text}"`, 5000);

/* Echoes in tunnels; answers others after `delay` ms. */
const serve = (delay) => async (wire) => {
  for (;;) {
    const request = await wire.takeRequest(60000);
    if (request.get("upgrade")) {
      wire.write(switching(request));
      wire.socket.on("data", (bytes) => wire.socket.write(bytes));
      wire.socket.on("end", () => wire.socket.end());
      return;
    }
    await sleep(delay);
    wire.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nslow!");
  }
};
const proxy = (backend, port, more = "") => `http { server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${backend.port};
  proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; ${more} } } }`;

async function tunnel(t, hawser) {
  const wire = await connect(t, hawser.port);
  wire.write(handshake());
  assert.equal((await wire.takeHead()).status, 101);
  return wire;
}
async function talk(wire, text) {
  wire.write(text);
  assert.equal(await wire.take(text.length), text);
}

describe("SIGHUP", () => {
  test("puts a changed file in force", async (t) => {
    const hawser = await startConfig(t, ({ port }) => answer("one", port));
    assert.equal(await bodyNow(hawser), "one");
    hawser.reload(answer("two", hawser.port));
    await becomes(hawser, "two");
    hawser.reload(answer("three", hawser.port));
    await becomes(hawser, "three");
  });

  test("opens and closes listeners", async (t) => {
    const other = await freePort();
    const hawser = await startConfig(t, ({ port }) => answer("one", port));
    const refused = () => connect(t, other).then((wire) => (wire.destroy(), false), () => true);
    assert.ok(await refused());
    hawser.reload(`http { server { listen 127.0.0.1:${hawser.port}; location / { return 200 "two"; } } server { listen 127.0.0.1:${other}; location / { return 200 "other"; } } }`);
    await becomes(hawser, "two");
    await until(async () => !(await refused()), "the new listener");
    assert.equal((await ask(t, other, get)).body, "other");
    hawser.reload(answer("three", hawser.port));
    await becomes(hawser, "three");
    await until(refused, "the listener's end");
  });

  for (const [what, text, pattern] of [
    ["a syntax error", "http { server { listen 127.0.0.1:1; location / { return 200 x } }", /hawser\.conf/],
    ["an unknown directive", 'http { server { proxy_pas http://x; } }', /proxy_pas/],
    ["an unknown upstream", "http { server { location / { proxy_pass http://no-such-name.invalid; } } }", /no-such-name/],
    ["an empty file", "", /hawser\.conf|http|nothing|server/i],
  ])
    test(`changes nothing for a file with ${what}, and says why`, async (t) => {
      if (isNginx && what === "an empty file") return t.skip("nginx takes it");
      const hawser = await startConfig(t, ({ port }) => answer("one", port));
      const said = hawser.log.length;
      hawser.reload(text);
      await until(() => pattern.test(hawser.log.slice(said)), () => `${pattern} in ${hawser.log.slice(said)}`);
      assert.equal(await bodyNow(hawser), "one");
      hawser.reload(answer("two", hawser.port));
      await becomes(hawser, "two");
    });

  test("changes nothing when the file is gone, and names it", async (t) => {
    const hawser = await startConfig(t, ({ port }) => answer("one", port));
    fs.renameSync(hawser.file, `${hawser.file}.away`);
    hawser.reload();
    await until(() => /hawser\.conf.*(No such file|cannot|could not)|(cannot|could not|open).*hawser\.conf/i.test(hawser.log), () => hawser.log);
    assert.equal(await bodyNow(hawser), "one");
    fs.renameSync(`${hawser.file}.away`, hawser.file);
    hawser.reload(answer("two", hawser.port));
    await becomes(hawser, "two");
  });

  test("20 times: tunnels talk on, requests under way are answered, nobody is refused", async (t) => {
    const backend = await startRawBackend(t, serve(250));
    const hawser = await startConfig(t, ({ port }) => proxy(backend, port));
    const tunnels = await Promise.all(Array.from({ length: 50 }, () => tunnel(t, hawser)));
    const before = hawser.pss();
    let isDone = false;
    const slow = [];
    const asking = (async () => {
      while (!isDone) {
        slow.push(ask(t, hawser.port, get, { ms: 15000 }).then(({ status, body }) => `${status} ${body}`, String));
        await sleep(30);
      }
    })();
    for (let i = 0; i < 20; i++) {
      hawser.reload(`${proxy(backend, hawser.port, `add_header X-Round ${i};`)}`);
      await Promise.all(tunnels.map((wire, n) => talk(wire, `round ${i} of ${n}`)));
      await until(async () => (await ask(t, hawser.port, get, { ms: 15000 })).get("x-round") === String(i), `round ${i}`, 15000);
    }
    isDone = true;
    await asking;
    const answers = new Set(await Promise.all(slow));
    assert.deepEqual([...answers], ["200 slow!"], `${slow.length} requests`);
    for (const wire of tunnels) assert.ok(!wire.isOver, "a tunnel was closed");
    assert.ok(!hawser.ending);
    const grown = hawser.pss() - before;
    t.diagnostic(`${slow.length} requests; memory ${grown >> 10} KiB more after 20 reloads`);
    if (!isSanitized && !isNginx) assert.ok(grown < 2 << 20, `grown by ${grown} bytes`);
  });

  test("of a one-liner ends nothing", async (t) => {
    if (isNginx) return t.skip();
    const backend = await startRawBackend(t, serve(0));
    const hawser = await startOneliner(t, [`http://127.0.0.1:${backend.port}`]);
    const wire = await tunnel(t, hawser);
    hawser.signal("SIGHUP");
    await sleep(200);
    await talk(wire, "still here");
    assert.equal(await bodyNow(hawser), "slow!");
  });
});

describe("the end", () => {
  test("SIGQUIT lets what is under way finish, and takes nothing new", async (t) => {
    const backend = await startRawBackend(t, serve(800));
    const hawser = await startConfig(t, ({ port }) => proxy(backend, port));
    const wire = await tunnel(t, hawser);
    const idle = await connect(t, hawser.port);
    const slow = ask(t, hawser.port, get.replace("Connection: close\r\n", ""));
    await until(() => backend.text.includes("GET / HTTP"), "the slow request to arrive");
    hawser.signal("SIGQUIT");
    await until(() => connect(t, hawser.port).then((late) => late.ended(50).then(() => true, () => false), () => true), "new connections to be refused");
    await idle.closed(2000);
    await talk(wire, "the tunnel goes on");
    assert.equal((await slow).body, "slow!");
    await sleep(100);
    assert.ok(!hawser.ending, "it did not wait for the tunnel");
    await talk(wire, "and on");
    wire.end();
    const ending = await within(3000, hawser.exit, "the end after the last tunnel");
    assert.deepEqual(ending, { code: 0, signal: null });
  });

  for (const name of ["SIGTERM", "SIGINT"])
    test(`${name} ends at once, tunnels and all`, async (t) => {
      const backend = await startRawBackend(t, serve(10000));
      const hawser = await startConfig(t, ({ port }) => proxy(backend, port));
      const wire = await tunnel(t, hawser);
      const slow = await connect(t, hawser.port);
      slow.write(get);
      await until(() => backend.text.includes("GET / HTTP"), "the slow request to arrive");
      const from = performance.now();
      hawser.signal(name);
      const ending = await within(3000, hawser.exit, `the end after ${name}`);
      assert.ok(performance.now() - from < 1000 * SLOW);
      assert.deepEqual(ending, { code: 0, signal: null });
      await wire.closed(1000);
      await slow.closed(1000);
      await backend.wires[0].closed(1000);
    });
});

test("10,000 locations and 1,000 upstreams are read and in force within a second, and nobody waits", { skip: isNginx && "hawser's alone" }, async (t) => {
  const upstreams = Array.from({ length: 1000 }, (_, i) => `upstream u${i} { server 127.0.0.1:${10000 + i}; server 127.0.0.1:${20000 + i}; }`);
  const locations = Array.from({ length: 10000 }, (_, i) => `location /p/${i}/ { proxy_pass http://u${i % 1000}; proxy_set_header X-I ${i}; }`);
  const large = (text, port) => `http { ${upstreams.join("\n")} server { listen 127.0.0.1:${port}; location / { return 200 ${text}; } ${locations.join("\n")} } }`;
  const hawser = await startConfig(t, ({ port }) => large("before", port));
  let isOver = false;
  let longest = 0;
  const traffic = (async () => {
    while (!isOver) {
      const from = performance.now();
      assert.match(await bodyNow(hawser).then(String), /^(before|after)$/);
      longest = Math.max(longest, performance.now() - from);
    }
  })();
  const from = performance.now();
  hawser.reload(large("after", hawser.port));
  await becomes(hawser, "after");
  const took = performance.now() - from;
  isOver = true;
  await traffic;
  t.diagnostic(`${took.toFixed(0)} ms; the longest request took ${longest.toFixed(0)} ms`);
  assert.ok(took < 1000 * SLOW, `${took} ms`);
  assert.ok(longest < 500 * SLOW, `${longest} ms`);
});
