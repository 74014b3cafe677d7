"use strict";
// The one-liner over three nodes: each request of a session finds its node by the session id alone. No cookies, no
// client address: a thousand sessions come from one address, and others change theirs with every request.

const assert = require("node:assert");
const { after, before, describe, test } = require("node:test");
const { Crew, inBatches, until, within } = require("./lib/base.js");
const { startOneliner, startConfig } = require("./lib/hawser.js");
const { startNodes, allStats } = require("./lib/nodes.js");
const { joinClient, echo, leave, WanderingAgent } = require("./lib/sio.js");
const { ask } = require("./lib/wire.js");

const UNKNOWN = { code: 1, message: "Session ID unknown" };

/* One session from its handshake to its end; the node that held it. */
async function session(crew, url, options) {
  const client = await joinClient(crew, url, options);
  for (let i = 0; i < 3; i++) assert.equal((await echo(client, i)).node, client.hello.node);
  assert.deepEqual(client.errors, []);
  assert.deepEqual(client.losses, []);
  leave(client);
  return client.hello;
}

function assertEven(hellos, nodes) {
  const share = hellos.length / nodes.length;
  for (const node of nodes) {
    const count = hellos.filter((hello) => hello.node === node.name).length;
    assert.ok(Math.abs(count - share) <= share * 0.1 + 2, `${node.name} has ${count} of ${hellos.length} sessions`);
  }
}

async function assertNoErrors(nodes) {
  for (const { name, errors } of await allStats(nodes))
    assert.equal(errors.length, 0, `${name} saw ${errors.length} errors, such as ${JSON.stringify(errors[0])}`);
}

function suite(title, { allowEIO3 = false, v2 = false, protocol, one, many }) {
  describe(title, () => {
    const crew = new Crew();
    let nodes, hawser;
    before(async () => {
      nodes = await startNodes(crew, { allowEIO3 });
      hawser = await startOneliner(crew, nodes.map((node) => node.url));
    });
    after(() => crew.end());

    for (const mode of ["polling", "upgrading"]) {
      test(`${one} ${mode} sessions from one address`, async (t) => {
        const hellos = await inBatches(one, 40, () => session(t, hawser.url, { mode, v2 }));
        for (const hello of hellos) assert.equal(hello.protocol, protocol);
        assertEven(hellos, nodes);
        await assertNoErrors(nodes);
      });

      test(`${many} ${mode} sessions, each request from another address`, async (t) => {
        const hellos = await inBatches(many, 20, async () => {
          const agent = new WanderingAgent();
          const hello = await session(t, hawser.url, { mode, v2, agent });
          assert.ok(agent.addresses.size >= (mode === "polling" ? 4 : 2), "the client did not wander");
          return hello;
        });
        assertEven(hellos, nodes);
        await assertNoErrors(nodes);
      });
    }

    test("sessions held all at once, of every kind", async (t) => {
      const modes = ["polling", "websocket", "upgrading"];
      const clients = await inBatches(90, 15, (i) => joinClient(t, hawser.url, { mode: modes[i % 3], v2 }));
      for (let round = 0; round < 3; round++) {
        const answers = await Promise.all(clients.map((client) => echo(client, round)));
        answers.forEach((answer, i) => assert.equal(answer.node, clients[i].hello.node));
      }
      await assertNoErrors(nodes);
      clients.forEach(leave);
    });
  });
}

suite("Engine.IO 4", { protocol: 4, one: 500, many: 150 });
suite("Engine.IO 3 (socket.io-client 2)", { protocol: 3, allowEIO3: true, v2: true, one: 150, many: 60 });

const poll = (sid, more = "") => `GET /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: x\r\n${more}Connection: close\r\n\r\n`;
const OPEN = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const ORIGIN = "https://front.example";

async function openSession(crew, port) {
  const response = await ask(crew, port, OPEN);
  assert.equal(response.status, 200);
  return JSON.parse(response.body.slice(1)).sid;
}

/* Sessions on each of the nodes, by name. */
async function openEverywhere(crew, hawser, nodes) {
  const sids = new Map();
  for (let i = 0; i < 12 && sids.size < nodes.length; i++) {
    const before = await allStats(nodes);
    const sid = await openSession(crew, hawser.port);
    const now = await allStats(nodes);
    const index = now.findIndex((stats, n) => stats.handshakes > before[n].handshakes);
    sids.set(nodes[index].name, sid);
  }
  assert.equal(sids.size, nodes.length);
  return sids;
}

describe("sessions that nobody knows", () => {
  test("an unknown sid is answered by a node", async (t) => {
    const nodes = await startNodes(t);
    const hawser = await startOneliner(t, nodes.map((node) => node.url));
    const response = await ask(t, hawser.port, poll("AAAAAAAAAAAAAAAAAAAA"));
    assert.equal(response.status, 400);
    assert.deepEqual(JSON.parse(response.body), UNKNOWN);
    assert.equal((await allStats(nodes)).reduce((sum, { unknown }) => sum + unknown, 0), 1);
  });

  test("a sid of a killed node is answered at once, readable across origins", async (t) => {
    const nodes = await startNodes(t);
    const hawser = await startOneliner(t, nodes.map((node) => node.url));
    const sids = await openEverywhere(t, hawser, nodes);
    const [dead, ...others] = nodes;
    await dead.kill();

    const origin = `Origin: ${ORIGIN}\r\n`;
    const text = `${origin}Content-Type: text/plain;charset=UTF-8\r\nContent-Length: 2\r\n`;
    for (const [what, request] of [
      ["poll", poll(sids.get(dead.name), origin)],
      ["post", poll(sids.get(dead.name), text).replace("GET", "POST") + "40"],
      ["poll again", poll(sids.get(dead.name), origin)],
    ]) {
      const from = performance.now();
      const response = await ask(t, hawser.port, request);
      const took = performance.now() - from;
      assert.equal(response.status, 400, what);
      const { code, message } = JSON.parse(response.body);
      assert.deepEqual({ code, message }, UNKNOWN, what);
      assert.match(response.get("content-type"), /^application\/json/);
      assert.equal(response.get("access-control-allow-origin"), ORIGIN, what);
      assert.match(response.get("vary") || "", /origin/i, what);
      assert.ok(took < 1000, `${what} took ${took} ms`);
      // The first is told by the proxy itself; then the session is forgotten, and any node may say so.
      if (what === "poll") await assertNoErrors(others);
    }
    for (const node of others) {
      const { status, body } = await ask(t, hawser.port, poll(sids.get(node.name), text).replace("GET", "POST") + "40");
      assert.deepEqual([status, body], [200, "ok"], `the session of ${node.name}`);
    }
  });

  test("an upgrade with the sid of a killed node is refused at once", async (t) => {
    const nodes = await startNodes(t);
    const hawser = await startOneliner(t, nodes.map((node) => node.url));
    const sids = await openEverywhere(t, hawser, nodes);
    await nodes[2].kill();
    const response = await ask(
      t,
      hawser.port,
      `GET /socket.io/?EIO=4&transport=websocket&sid=${sids.get(nodes[2].name)} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      { ms: 2000 },
    );
    assert.equal(response.status, 400);
  });

  test("polling clients of a killed node are on another within 2 s, whatever they were doing", async (t) => {
    const nodes = await startNodes(t);
    const hawser = await startOneliner(t, nodes.map((node) => node.url));
    const clients = await inBatches(30, 10, () => joinClient(t, hawser.url, { mode: "polling" }));
    const own = clients.filter((client) => client.hello.node === "b");
    assert.ok(own.length >= 8, `${own.length} clients on b`);
    const at = performance.now();
    await nodes[1].kill();
    await within(8000, until(() => own.every((client) => client.hellos.length === 2), "the clients to be back", 8000), "the clients");
    const took = Math.max(...own.map((client) => client.backs.at(-1).at - at));
    assert.ok(took < 2000, `${took} ms`);
    assert.equal(clients.filter((client) => client.losses.length && client.hellos.length === 1).length, 0);
    clients.forEach(leave);
  });
});

describe("the sid that counts", () => {
  test("is the query parameter of exactly that name, wherever it stands", async (t) => {
    const nodes = await startNodes(t);
    const hawser = await startOneliner(t, nodes.map((node) => node.url));
    for (let i = 0; i < 6; i++) {
      const sid = await openSession(t, hawser.port);
      for (const query of [
        `sid=${sid}&EIO=4&transport=polling`,
        `xsid=AAAA&EIO=4&transport=polling&sid=${sid}&t=abc`,
        `EIO=4&path=/sid=BBBB&transport=polling&sid=${encodeURIComponent(sid)}`,
        `EIO=4&transport=polling&sid=%${sid.charCodeAt(0).toString(16)}${sid.slice(1)}`,
      ]) {
        const body = "1"; // a close packet would end it; only the last may
        const isLast = query.includes("sid=%");
        const text = isLast ? body : "40";
        const response = await ask(
          t,
          hawser.port,
          `POST /socket.io/?${query} HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`,
        );
        assert.equal(response.status, 200, `${query}: ${response.body}`);
      }
    }
    await assertNoErrors(nodes);
  });

  test("holds on a path of the application's own", async (t) => {
    const path = "/my-custom-path/";
    const nodes = await startNodes(t, { path });
    const hawser = await startOneliner(t, nodes.map((node) => node.url));
    const hellos = await inBatches(60, 15, (i) => session(t, hawser.url, { path, mode: i % 2 ? "polling" : "upgrading" }));
    assertEven(hellos, nodes);
    await assertNoErrors(nodes);
  });

  test("holds with `sticky sid;` in a configuration", async (t) => {
    const nodes = await startNodes(t);
    const hawser = await startConfig(
      t,
      ({ port }) => `http { upstream nodes { sticky sid; ${nodes.map((node) => `server 127.0.0.1:${node.port};`).join(" ")} }
        server { listen 127.0.0.1:${port}; location / { proxy_pass http://nodes; } } }`,
    );
    const hellos = await inBatches(90, 15, (i) => session(t, hawser.url, { mode: i % 2 ? "polling" : "upgrading" }));
    assertEven(hellos, nodes);
    await assertNoErrors(nodes);
  });

  test("survives a reload", async (t) => {
    const nodes = await startNodes(t);
    const config = ({ port }) => `http { upstream nodes { sticky sid; ${nodes.map((node) => `server 127.0.0.1:${node.port};`).join(" ")} }
        server { listen 127.0.0.1:${port}; location / { proxy_pass http://nodes; } } }`;
    const hawser = await startConfig(t, config);
    const clients = await inBatches(30, 10, () => joinClient(t, hawser.url, { mode: "polling" }));
    for (let i = 0; i < 5; i++) {
      hawser.reload(config({ port: hawser.port }) + `\n# ${i}\n`);
      const answers = await Promise.all(clients.map((client) => echo(client, i)));
      answers.forEach((answer, n) => assert.equal(answer.node, clients[n].hello.node));
    }
    for (const client of clients) assert.deepEqual(client.losses, []);
    await assertNoErrors(nodes);
    clients.forEach(leave);
  });
});
