"use strict";
// Where nginx puts a request hawser puts it too: hash, hash consistent and ip_hash, for 1,000 IPv4 and 1,000 IPv6 addresses
// each, with unequal weights, a server that is down and one that
// refuses, so that the next one is seen as well. Debian's nginx runs beside hawser and is asked the same.

const assert = require("node:assert");
const http = require("node:http");
const { after, before, describe, test } = require("node:test");
const { Crew, freePort } = require("./lib/base.js");
const { isThere, startPair } = require("./lib/pair.js");
const { connect } = require("./lib/wire.js");

const COUNT = 1000, AT_ONCE = 50;

/* The same addresses in every run: a generator of our own (Numerical Recipes' constants). */
function dice(seed) {
  let state = seed >>> 0;
  return (below) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % below;
}
const roll = dice(20260101);
const v4 = Array.from({ length: COUNT }, () => `${1 + roll(223)}.${roll(256)}.${roll(256)}.${roll(256)}`);
const v6 = Array.from({ length: COUNT }, () => `2001:db8:${Array.from({ length: 6 }, () => (1 + roll(65535)).toString(16)).join(":")}`);

async function startServers(crew, count) {
  const ports = [];
  for (let i = 0; i < count; i++) {
    const server = http.createServer((_, response) => response.end("ok"));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    crew.after(() => new Promise((resolve) => server.closeAllConnections() ?? server.close(resolve)));
    ports.push(server.address().port);
  }
  return ports;
}

const METHODS = { hash: "hash $arg_x;", consistent: "hash $arg_x consistent;", ip_hash: "ip_hash;" };
const WEIGHTS = [1, 5, 2, 1, 3];

/* The servers that it names for the addresses, in their order. */
async function places(crew, port, program, method, addresses) {
  const wire = await connect(crew, port, { host: program.address });
  const found = [];
  for (let from = 0; from < addresses.length; from += AT_ONCE) {
    const some = addresses.slice(from, from + AT_ONCE);
    wire.write(some.map((one) => `GET /${method}?x=${one} HTTP/1.1\r\nHost: h\r\nX-Real-IP: ${one}\r\n\r\n`).join(""));
    for (let i = 0; i < some.length; i++) {
      const answer = await wire.takeResponse("GET");
      assert.equal(answer.status, 200);
      found.push(answer.get("x-peer"));
    }
  }
  wire.end();
  return found;
}

describe("placement beside nginx", { skip: isThere ? false : "nginx is not installed (make deps)" }, () => {
  const crew = new Crew();
  let pair, ports;
  before(async () => {
    ports = await startServers(crew, WEIGHTS.length + 1);
    const servers = ports.map((port, i) => `server 127.0.0.1:${port} ${i === WEIGHTS.length ? "weight=2 down" : `weight=${WEIGHTS[i]}`};`).join(" ");
    const dead = `server 127.0.0.1:${await freePort()} weight=2 max_fails=0;`;
    const upstreams = Object.entries(METHODS).map(([name, line]) => `upstream ${name} { ${line} ${dead} ${servers} }`);
    const locations = Object.keys(METHODS).map((name) => `location /${name} { proxy_pass http://${name}; }`);
    pair = await startPair(crew, {
      http: `${upstreams.join("\n")}
        server { listen LISTEN; keepalive_requests 100000; set_real_ip_from 127.0.0.0/8;
          add_header X-Peer $upstream_addr always; ${locations.join(" ")} }`,
    });
  });
  after(() => crew.end());
  for (const method of Object.keys(METHODS)) {
    for (const [family, addresses] of Object.entries({ IPv4: v4, IPv6: v6 })) {
      test(`${method}, ${COUNT} ${family} addresses`, async (t) => {
        const [theirs, ours] = await Promise.all(pair.both.map((program) => places(t, pair.port, program, method, addresses)));
        assert.deepEqual(ours, theirs);
        assert.equal(new Set(ours.map((one) => one.split(", ").pop())).size, WEIGHTS.length, "all that are up are given some");
        assert.ok(ours.some((one) => one.includes(", ")), "and some had to be given another");
      });
    }
  }
});
