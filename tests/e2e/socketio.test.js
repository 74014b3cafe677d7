"use strict";
// Socket.IO's own multi-node configuration, three real nodes, thirty clients of each kind.
// The nodes' names are replaced by their loopback addresses, as all of them share this machine.

const assert = require("node:assert");
const { after, before, describe, test } = require("node:test");
const { Crew, sleep, until, inBatches, SLOW } = require("./lib/base.js");
const { startConfig } = require("./lib/hawser.js");
const { startNodes, allStats } = require("./lib/nodes.js");
const { joinClient, echo, leave, agentAt } = require("./lib/sio.js");

const EACH = 30;

const multiNode = (port, nodes) => `
http {
  server {
    listen 127.0.0.1:${port};
    server_name io.yourhost.com;

    location / {
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Host $host;

      proxy_pass http://nodes;

      # enable WebSockets
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
    }
  }

  upstream nodes {
    # enable sticky session with either "hash" (uses the complete IP address)
    hash $remote_addr consistent;

${nodes.map((node) => `    server localhost:${node.port};`).join("\n")}
  }
}`.replaceAll("localhost", "127.0.0.1");

let lastHost = 0;
const nextAddress = () => `127.77.${1 + Math.floor(++lastHost / 200)}.${1 + (lastHost % 200)}`;

async function join(crew, hawser, mode) {
  const address = nextAddress();
  const client = await joinClient(crew, hawser.url, { mode, agent: agentAt(address) });
  return Object.assign(client, { address });
}

describe("the multi-node configuration", () => {
  const crew = new Crew();
  let nodes, hawser;
  before(async () => {
    nodes = await startNodes(crew);
    hawser = await startConfig(crew, ({ port }) => multiNode(port, nodes));
  });
  after(() => crew.end());

  for (const mode of ["polling", "websocket", "upgrading"]) {
    test(`${EACH} ${mode} clients without an error`, async (t) => {
      const clients = await inBatches(EACH, 10, () => join(t, hawser, mode));
      for (let round = 0; round < 5; round++) {
        const answers = await Promise.all(clients.map((client) => echo(client, round)));
        answers.forEach((answer, i) => {
          assert.equal(answer.node, clients[i].hello.node, "an answer of another node");
          assert.equal(answer.transport, mode === "polling" ? "polling" : "websocket");
          assert.equal(answer.value, round);
        });
      }
      for (const client of clients) {
        assert.deepEqual(client.errors, []);
        assert.deepEqual(client.losses, []);
        assert.equal(client.hello.headers["x-forwarded-for"], client.address);
        assert.equal(client.hello.headers.host, "127.0.0.1");
      }
      const used = new Set(clients.map((client) => client.hello.node));
      assert.equal(used.size, 3, `${EACH} addresses reached only ${[...used]}`);
      for (const { errors } of await allStats(nodes)) assert.deepEqual(errors, []);
      clients.forEach(leave);
    });
  }

  test("X-Forwarded-For goes on after what the client said", async () => {
    const response = await fetch(`${hawser.url}/any?a=%20b`, { headers: { "X-Forwarded-For": "9.9.9.9" } });
    const { headers, url } = await response.json();
    assert.equal(headers["x-forwarded-for"], "9.9.9.9, 127.0.0.1");
    assert.equal(url, "/any?a=%20b");
    assert.equal(headers.upgrade, undefined);
  });

  test("an address stays with its node", async (t) => {
    const address = nextAddress();
    const homes = new Set();
    for (let i = 0; i < 6; i++) {
      const client = await joinClient(t, hawser.url, { mode: "polling", agent: agentAt(address) });
      homes.add(client.hello.node);
      leave(client);
    }
    assert.equal(homes.size, 1);
  });
});

test("a node killed with -9 loses only its own clients, and they are back within 2 s", async (t) => {
  const nodes = await startNodes(t);
  const hawser = await startConfig(t, ({ port }) => multiNode(port, nodes));
  const modes = ["polling", "websocket", "upgrading"];
  const clients = await inBatches(EACH * 3, 10, (i) => join(t, hawser, modes[i % 3]));
  await Promise.all(clients.map((client) => echo(client, "before")));

  const dead = nodes[1];
  const own = clients.filter((client) => client.hello.node === dead.name);
  const others = clients.filter((client) => client.hello.node !== dead.name);
  assert.ok(own.length > 5 && others.length > 20, `${own.length} of ${clients.length} on ${dead.name}`);
  const at = performance.now();
  await dead.kill();

  await until(() => own.every((client) => client.hellos.length === 2), () => `${own.filter((c) => c.hellos.length < 2).map((c) => `${c.mode}: ${c.errors}`)}`, 8000);
  const took = own.map((client) => client.backs.at(-1).at - at).sort((a, b) => a - b);
  t.diagnostic(`${own.length} clients lost; back after ${took[0].toFixed(0)} to ${took.at(-1).toFixed(0)} ms`);
  assert.ok(took.at(-1) < 2000 * SLOW, `the last was back after ${took.at(-1).toFixed(0)} ms`);
  for (const client of own) assert.notEqual(client.hello.node, dead.name);

  await sleep(300); // others would notice by now
  await Promise.all(clients.map((client) => echo(client, "after")));
  for (const client of others) {
    assert.deepEqual(client.losses, [], `a client of ${client.hello.node} was lost`);
    assert.deepEqual(client.errors, []);
  }
  clients.forEach(leave);
});
