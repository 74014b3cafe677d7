"use strict";
// Which server answers where: addresses of one port, both families on one socket, ports in a range. nginx: PROXY=nginx.

const assert = require("node:assert");
const dns = require("node:dns").promises;
const fs = require("node:fs");
const os = require("node:os");
const { execFileSync } = require("node:child_process");
const { test } = require("node:test");
const { freePort } = require("./lib/base.js");
const { startConfig, isNginx } = require("./lib/hawser.js");
const { ask } = require("./lib/wire.js");

const said = async (t, port, host, name = "x") =>
  (await ask(t, port, `GET / HTTP/1.1\r\nHost: ${name}\r\nConnection: close\r\n\r\n`, { host })).body.toString();
const hasV6 = fs.existsSync("/proc/net/if_inet6") && fs.readFileSync("/proc/net/if_inet6", "utf8").includes(" lo");

test("the address that was connected to chooses among the servers of a port", async (t) => {
  const hawser = await startConfig(
    t,
    ({ port }) => `http {
      server { listen ${port}; server_name any; return 200 any; }
      server { listen 127.0.0.1:${port}; return 200 one; }
      server { listen 127.0.0.1:${port}; server_name second; return 200 second; }
      server { listen ${port} default_server; return 200 default; } }`,
  );
  assert.equal(await said(t, hawser.port, "127.0.0.1"), "one");
  assert.equal(await said(t, hawser.port, "127.0.0.1", "any"), "one");
  assert.equal(await said(t, hawser.port, "127.0.0.1", "second"), "second");
  assert.equal(await said(t, hawser.port, "127.0.0.2"), "default");
  assert.equal(await said(t, hawser.port, "127.0.0.2", "any"), "any");
});

test("ipv6only=off takes both families", { skip: !hasV6 && "no IPv6 here" }, async (t) => {
  const hawser = await startConfig(t, ({ port }) => `http { server { listen [::]:${port} ipv6only=off; return 200 $remote_addr; } }`);
  assert.equal(await said(t, hawser.port, "127.0.0.1"), isNginx ? "::ffff:127.0.0.1" : "127.0.0.1");
  assert.equal(await said(t, hawser.port, "::1"), "::1");
});

test("so_keepalive and a backlog are the socket's", { skip: isNginx && "hawser's alone" }, async (t) => {
  const hawser = await startConfig(t, ({ port }) => `http { server { listen 127.0.0.1:${port} backlog=77 so_keepalive=off; return 200 x; } }`);
  const rows = execFileSync("ss", ["-ltn", `sport = :${hawser.port}`], { encoding: "utf8" });
  assert.match(rows, /LISTEN +\d+ +77 /);
});

const own = os.hostname();
const addresses = () => dns.lookup(own, { all: true }).then((all) => all.map(({ address }) => address), () => []);

test("a name is the addresses that it has, and $hostname the machine's name", async (t) => {
  const hosts = (await addresses()).filter((host) => host.startsWith("127.") || host === "::1");
  if (hosts.length === 0) return t.skip("this machine's name has no address of loopback");
  const hawser = await startConfig(
    t,
    ({ port }) => `http {
      server { listen ${own}:${port}; return 200 first; }
      server { listen ${own}:${port}; server_name $hostname; return 200 own; } }`,
  );
  for (const host of hosts) {
    assert.equal(await said(t, hawser.port, host, own), "own");
    assert.equal(await said(t, hawser.port, host, "other"), "first");
  }
});

test("a range of ports", async (t) => {
  const first = await freePort();
  const hawser = await startConfig(t, ({ port }) => `http { server { listen 127.0.0.1:${port}; listen 127.0.0.1:${first}-${first}; return 200 $server_port; } }`);
  assert.equal(await said(t, hawser.port, "127.0.0.1"), String(hawser.port));
  assert.equal(await said(t, first, "127.0.0.1"), String(first));
});
