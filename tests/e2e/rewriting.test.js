"use strict";
// What rewriting says in the log, and what it does to upgrades. Its answers are compared with nginx's own: compare/rewrite.js.

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { describe, test } = require("node:test");
const { until } = require("./lib/base.js");
const { startConfig } = require("./lib/hawser.js");
const { ask, connect, startRawBackend } = require("./lib/wire.js");

const get = (target, more = "") => `GET ${target} HTTP/1.1\r\nHost: h\r\n${more}\r\n`;
const UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const start = (t, lines, more = "") =>
  startConfig(t, ({ port }) => `error_log stderr notice; http { ${more} server { listen 127.0.0.1:${port}; server_name own; ${lines} } }`);

const says = (hawser, pattern) => until(() => pattern.test(hawser.log), () => `${pattern} in:\n${hawser.log}`);

describe("the error log", () => {
  test("tells each step with rewrite_log on, in nginx's words", async (t) => {
    const hawser = await start(t, `rewrite_log on;
      location /a { rewrite ^/x /y; rewrite ^/a/(.*)$ /b/$1?c=d last; }
      location /b { if ($arg_c ~ ^d$) { rewrite ^ http://h/to? redirect; } }`);
    assert.equal((await ask(t, hawser.port, get("/a/1?e=f"))).get("location"), "http://h/to");
    await says(hawser, /\[notice\] .*"\^\/x" does not match "\/a\/1", client: 127\.0\.0\.1, server: own, request: "GET \/a\/1\?e=f HTTP\/1\.1", host: "h"/);
    await says(hawser, /"\^\/a\/\(\.\*\)\$" matches "\/a\/1",/);
    await says(hawser, /rewritten data: "\/b\/1", args: "c=d&e=f",/);
    await says(hawser, /"\^d\$" matches "d",/);
    await says(hawser, /rewritten redirect: "http:\/\/h\/to",/);
  });

  test("says nothing of them without it", async (t) => {
    const hawser = await start(t, "location /a { rewrite ^/a/(.*)$ /b/$1; return 200 $uri; }");
    assert.equal((await ask(t, hawser.port, get("/a/1"))).body, "/b/1");
    assert.doesNotMatch(hawser.log, /rewritten|matches/);
  });

  test("names a cycle, which is a 500", async (t) => {
    const hawser = await start(t, "location / { rewrite ^(.*)$ $1x last; }");
    assert.equal((await ask(t, hawser.port, get("/"))).status, 500);
    await says(hawser, /\[error\] .*rewrite or internal redirection cycle while processing "\/x{11}"/);
    assert.doesNotMatch(hawser.log, /\[(crit|alert|emerg)\]/);
  });

  test("warns of a variable that is read before it is set, once a request, unless told not to", async (t) => {
    const hawser = await start(t, `location / { if ($arg_a) { set $mine 1; } return 200 "$mine$mine"; }
      location /quiet { uninitialized_variable_warn off; if ($arg_a) { set $quiet 1; } return 200 "$quiet"; }`);
    assert.equal((await ask(t, hawser.port, get("/?a=1"))).body, "11");
    assert.equal((await ask(t, hawser.port, get("/"))).body, "");
    assert.equal((await ask(t, hawser.port, get("/quiet"))).body, "");
    await says(hawser, /\[warn\] .*using uninitialized "mine" variable/);
    assert.equal(hawser.log.match(/uninitialized/g).length, 1);
  });

  test("names a path of no length", async (t) => {
    const hawser = await start(t, "location / { rewrite ^/(.*)$ $1; return 200; }");
    assert.equal((await ask(t, hawser.port, get("/"))).status, 500);
    await says(hawser, /the rewritten URI has a zero length/);
  });
});

describe("an upgrade", () => {
  async function pair(t, lines) {
    const seen = [];
    const backend = await startRawBackend(t, async (wire) => {
      seen.push(await wire.takeRequest());
      wire.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`);
      wire.write(await wire.take(5, 5000));
    });
    const hawser = await start(t, lines(backend.port), "map $http_upgrade $kind { default poll; websocket tunnel; }");
    return { hawser, seen };
  }

  test("passes by the proxy_pass of an if, under the path that it was rewritten to", async (t) => {
    const { hawser, seen } = await pair(t, (port) => `location / {
      if ($kind = tunnel) { proxy_pass http://127.0.0.1:${port}; rewrite ^/old/(.*)$ /new/$1 break; }
      return 200 "no upgrade"; }`);
    const wire = await connect(t, hawser.port);
    wire.write(get("/old/x?EIO=4&transport=websocket", UPGRADE));
    assert.equal((await wire.takeHead()).status, 101);
    wire.write("hello");
    assert.equal(await wire.take(5), "hello");
    assert.equal(seen[0].target, "/new/x?EIO=4&transport=websocket");
    assert.equal((await ask(t, hawser.port, get("/y"))).body, "no upgrade");
  });

  test("is refused by a return like any other request", async (t) => {
    const { hawser, seen } = await pair(t, (port) => `location / { if ($kind = tunnel) { return 403; } proxy_pass http://127.0.0.1:${port}; }`);
    const wire = await connect(t, hawser.port);
    wire.write(get("/", UPGRADE));
    assert.equal((await wire.takeResponse()).status, 403);
    assert.equal(seen.length, 0);
  });
});

describe("return 444", () => {
  test("closes without a word, and so do 408 and 499", async (t) => {
    const hawser = await start(t, "location /444 { return 444; } location /408 { return 408; } location /499 { return 499; }");
    for (const target of ["/444", "/408", "/499"]) {
      const wire = await connect(t, hawser.port);
      wire.write(get(target));
      assert.equal(await wire.ended(), "");
    }
  });
});

describe("the access log", () => {
  test("has the line of a request that could not be read", async (t) => {
    const hawser = await startConfig(t, ({ port, folder }) => `http { log_format raw "line=$request status=$status"; access_log ${folder}/access.log raw;
      server { listen 127.0.0.1:${port}; location / { return 200; } } }`);
    const long = "a".repeat(9000);
    for (const text of ["GARBAGE\r\n\r\n", 'GET /a"b HTTP/9.9\r\n\r\n', "GET /x HTTP/1.1\r\n\r\n", `GET /${long} HTTP/1.1\r\n\r\n`]) await ask(t, hawser.port, text);
    const log = () => fs.readFileSync(path.join(hawser.folder, "access.log"), "latin1");
    await until(() => log().split("\n").length === 5, () => log());
    assert.match(log(), /^line=GARBAGE status=400\nline=GET \/a\\x22b HTTP\/9\.9 status=505\nline=GET \/x HTTP\/1\.1 status=400\nline=GET \/a{9000} HTTP\/1\.1 status=414\n$/);
  });
});
