"use strict";
// Who may pass: by address, and what the client's address is behind proxies.

const assert = require("node:assert");
const { describe, test } = require("node:test");
const { until } = require("./lib/base.js");
const { startConfig } = require("./lib/hawser.js");
const { ask } = require("./lib/wire.js");

const get = (target, ...lines) => `GET ${target} HTTP/1.0\r\nHost: h\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
const fetched = async (t, hawser, target, ...lines) => ask(t, hawser.port, get(target, ...lines));

describe("the client's address", () => {
  const config = ({ port, folder }) => `http {
    add_header X-IP $remote_addr; add_header X-Before "$realip_remote_addr $realip_remote_port"; add_header X-Port "[$remote_port]";
    set_real_ip_from 127.0.0.1/32; set_real_ip_from 10.0.1.0/24;
    server { listen 127.0.0.1:${port}; root ${folder};
      location / { }
      location /custom { real_ip_header X-Real-IP-Custom; }
      location /last { real_ip_header X-Forwarded-For; }
      location /all { real_ip_header X-Forwarded-For; real_ip_recursive on; }
      location /nobody { set_real_ip_from 192.0.2.77; } }
    server { listen 127.0.0.1:${port}; server_name early; real_ip_header X-Forwarded-For; return 204; } }`;
  const start = (t) => startConfig(t, config, { files: { "index.html": "", custom: "", last: "", all: "", nobody: "" } });

  test("is what a trusted proxy's field says", async (t) => {
    const hawser = await start(t);
    const ip = async (...request) => (await fetched(t, hawser, ...request)).get("x-ip");
    assert.equal(await ip("/"), "127.0.0.1");
    assert.equal(await ip("/", "X-Real-IP: 192.0.2.1"), "192.0.2.1");
    assert.equal(await ip("/custom", "X-Real-IP-Custom: 192.0.2.1"), "192.0.2.1");
    assert.equal(await ip("/", "X-Real-IP: 2001:db8::1"), "2001:db8::1");
    assert.equal(await ip("/", "X-Real-IP: nonsense"), "127.0.0.1");
    assert.equal(await ip("/nobody", "X-Real-IP: 192.0.2.1"), "192.0.2.1", "the server's level came first");
  });

  test("may have a port, and the connection's own is kept", async (t) => {
    const hawser = await start(t);
    for (const [field, port] of [["192.0.2.1:4711", "[4711]"], ["192.0.2.1", "[]"], ["[2001:db8::1]:80", "[80]"]]) {
      const answer = await fetched(t, hawser, "/", `X-Real-IP: ${field}`);
      assert.equal(answer.get("x-port"), port);
      assert.match(answer.get("x-before"), /^127\.0\.0\.1 \d+$/);
    }
  });

  test("is sought in X-Forwarded-For as far as trust reaches", async (t) => {
    const hawser = await startConfig(t, ({ port, folder }) => `http {
      add_header X-IP $remote_addr; server { listen 127.0.0.1:${port}; root ${folder}; real_ip_header X-Forwarded-For;
      location /last { set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.1.0/24; }
      location /all { set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.1.0/24; real_ip_recursive on; } } }`,
      { files: { last: "", all: "" } });
    const ip = async (target, ...lists) =>
      (await fetched(t, hawser, target, ...lists.map((list) => `X-Forwarded-For: ${list}`))).get("x-ip");
    assert.equal(await ip("/last", "10.0.0.1, 192.0.2.1"), "192.0.2.1");
    assert.equal(await ip("/last", "192.0.2.1, 10.0.1.1, 127.0.0.1"), "127.0.0.1");
    assert.equal(await ip("/all", "10.0.1.1, 192.0.2.1, 127.0.0.1"), "192.0.2.1");
    assert.equal(await ip("/last", "192.0.2.1", "127.0.0.1, 10.0.1.1"), "10.0.1.1");
    assert.equal(await ip("/all", "10.0.1.1", "192.0.2.1", "127.0.0.1"), "192.0.2.1");
    assert.equal(await ip("/all", "192.0.2.1, 10.0.1.1", "nonsense"), "127.0.0.1");
    assert.equal(await ip("/all", "nonsense, 10.0.1.1"), "10.0.1.1");
  });

  test("is found before the server's own return", async (t) => {
    const hawser = await start(t);
    const answer = await ask(t, hawser.port, "GET / HTTP/1.0\r\nHost: early\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n");
    assert.equal(answer.status, 204);
    assert.equal(answer.get("x-ip"), "192.0.2.1");
  });
});

describe("allow and deny", () => {
  const config = ({ port, folder }) => `http { set_real_ip_from 127.0.0.1;
    server { listen 127.0.0.1:${port}; listen unix:${folder}/sock; root ${folder};
      location / { }
      location /office { allow 192.0.2.0/24; allow 2001:db8::/32; deny all; location /office/inner { } location /office/open { allow all; } }
      location /not { deny 192.0.2.1; deny unix:; } } }`;
  const files = { "index.html": "x", office: "x", "not": "x" };

  test("the first rule that has the client decides", async (t) => {
    const hawser = await startConfig(t, config, { files });
    const status = async (target, ip) => (await fetched(t, hawser, target, ...(ip ? [`X-Real-IP: ${ip}`] : []))).status;
    assert.equal(await status("/office"), 403);
    for (const ip of ["192.0.2.200", "2001:db8:1::2", "::ffff:192.0.2.4"]) assert.equal(await status("/office", ip), 200, ip);
    for (const ip of ["192.0.3.1", "2001:db9::1"]) assert.equal(await status("/office", ip), 403, ip);
    assert.equal(await status("/office/inner"), 403);
    assert.equal(await status("/office/open"), 404);
    assert.equal(await status("/not", "192.0.2.1"), 403);
    assert.equal(await status("/not", "192.0.2.2"), 200);
    await until(() => /\[error\] \d+#\d+: \*\d+ access forbidden by rule, client: 192\.0\.3\.1, /.test(hawser.log), "the log's line");
  });
});
