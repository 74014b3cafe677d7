"use strict";
// The error log in nginx's words: what monitoring looks for. The same lines come from nginx (PROXY=nginx).

const assert = require("node:assert");
const { test } = require("node:test");
const { until, freePort } = require("./lib/base.js");
const { startConfig } = require("./lib/hawser.js");
const { connect, ask, startRawBackend } = require("./lib/wire.js");

const answering = (text) => async (wire) => {
  await wire.takeRequest();
  wire.socket.end(text);
};

async function start(t, patience) {
  const dead = await freePort();
  const backends = {
    hang: await startRawBackend(t),
    close: await startRawBackend(t, answering("")),
    garbage: await startRawBackend(t, answering("HTTP/1.1 200 OK\r\nfoo bar\r\n\r\n")),
    short: await startRawBackend(t, answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")),
    reset: await startRawBackend(t, async (wire) => {
      await wire.takeRequest();
      wire.socket.resetAndDestroy();
    }),
  };
  const pass = Object.entries(backends).map(([name, { port }]) => `location /${name} { proxy_pass http://127.0.0.1:${port}; }`);
  const hawser = await startConfig(
    t,
    ({ port }) => `${process.env.PROXY === "nginx" ? "" : "error_log stderr info;"}
      http { client_max_body_size 10; proxy_read_timeout ${patience}; client_header_timeout 500ms;
        upstream nobody { server 127.0.0.1:${dead} down; }
        server { listen 127.0.0.1:${port}; server_name .a.example b;
          location /dead { proxy_pass http://127.0.0.1:${dead}/to; }
          location /nobody { proxy_pass http://nobody; }
          ${pass.join("\n")} } }`,
  );
  return { hawser, dead, backends };
}

const request = (target) => `GET ${target} HTTP/1.1\r\nHost: X.a.example:8080\r\nReferer: http://from/\r\nConnection: close\r\n\r\n`;
const of = (line, upstream) =>
  `, client: 127.0.0.1, server: a.example, request: "GET ${line} HTTP/1.1"` +
  `${upstream ? `, upstream: "http://${upstream}"` : ""}, host: "X.a.example:8080", referrer: "http://from/"\n`;

async function says(hawser, level, text) {
  const form = new RegExp(String.raw`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[${level}\] \d+#\d+: \*\d+ `);
  const find = () => hawser.log.split("\n").find((line) => `${line}\n`.includes(text));
  await until(find, () => `[${level}] ${text} in:\n${hawser.log}`);
  assert.match(find(), form);
}

test("what a server does wrong is an error, with its address and what was asked of it", async (t) => {
  const { hawser, dead, backends } = await start(t, "400ms");
  const at = (name) => `127.0.0.1:${backends[name].port}/${name}`;
  for (const [target, text, upstream] of [
    ["/dead?a=1", "connect() failed (111: Connection refused) while connecting to upstream", `127.0.0.1:${dead}/to?a=1`],
    ["/nobody", "no live upstreams while connecting to upstream", "nobody/nobody"],
    ["/hang", "upstream timed out (110: Connection timed out) while reading response header from upstream", at("hang")],
    ["/close", "upstream prematurely closed connection while reading response header from upstream", at("close")],
    ["/short", "upstream prematurely closed connection while reading upstream", at("short")],
    ["/reset", "recv() failed (104: Connection reset by peer) while reading response header from upstream", at("reset")],
  ]) {
    const wire = await connect(t, hawser.port);
    wire.write(request(target));
    await says(hawser, "error", text + of(target, upstream));
  }
  const wire = await connect(t, hawser.port);
  wire.write(request("/garbage"));
  await says(hawser, "error", of("/garbage", at("garbage")));
  await until(() => /upstream sent invalid header.* while reading response header from upstream/.test(hawser.log), "invalid header");
});

test("what a client does wrong is told at info, a body too large as an error", async (t) => {
  const { hawser, backends } = await start(t, "60s");
  for (const [head, text] of [
    ["GET / HTTP/1.1\r\n\r\n", 'client sent HTTP/1.1 request without "Host" header while reading client request headers'],
    ["GET / HTTP/3.1\r\n\r\n", "client sent invalid version while reading client request line"],
    ["GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "client sent invalid host header while reading client request headers"],
  ]) {
    assert.ok((await ask(t, hawser.port, head)).status >= 400);
    await says(hawser, "info", `${text}, client: 127.0.0.1, server: a.example, request: "${head.split("\r\n")[0]}"`);
  }
  const slow = await connect(t, hawser.port);
  slow.write("GET / HTTP/1.1\r\nHost: a\r\n");
  await says(hawser, "info", "client timed out (110: Connection timed out) while reading client request headers, client: 127.0.0.1, server: a.example");
  assert.equal((await ask(t, hawser.port, "POST / HTTP/1.1\r\nHost: b\r\nContent-Length: 100\r\n\r\n")).status, 413);
  await says(hawser, "error", 'client intended to send too large body: 100 bytes, client: 127.0.0.1, server: a.example, request: "POST / HTTP/1.1", host: "b"\n');
  const gone = await connect(t, hawser.port);
  gone.write(request("/hang"));
  await until(() => backends.hang.text.endsWith("\r\n\r\n"), "the server to be asked");
  gone.socket.end();
  await says(hawser, "info", ", so upstream connection is closed too while ");
});
