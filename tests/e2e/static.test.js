"use strict";
// Files beside Socket.IO: root, index, types, validators, ranges, and nothing outside the root.

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, describe, test } = require("node:test");
const { Crew } = require("./lib/base.js");
const { startConfig } = require("./lib/hawser.js");
const { startNode } = require("./lib/nodes.js");
const { joinClient, echo } = require("./lib/sio.js");
const { ask, connect } = require("./lib/wire.js");

const BIG = Buffer.alloc(3 << 20, "0123456789abcdef");
const DIGITS = "0123456789";
const MODIFIED = new Date("2024-02-29T12:34:56Z");

describe("files", () => {
  const crew = new Crew();
  let hawser, folder, node;
  before(async () => {
    node = await startNode(crew, { name: "a" });
    hawser = await startConfig(
      crew,
      ({ port, folder }) => `http {
  types { text/html html htm; text/css css; application/javascript js; image/svg+xml svg; text/plain txt; }
  default_type application/octet-stream;
  server {
    listen 127.0.0.1:${port};
    root ${folder}/html;

    location /socket.io/ {
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header Host $host;
      proxy_pass http://127.0.0.1:${node.port};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
    }
  }
}`,
      {
        files: {
          "html/index.html": "<h1>hello</h1>",
          "html/style.css": "body{}",
          "html/app.js": "1",
          "html/digits.txt": DIGITS,
          "html/noext": "x",
          "html/a b.txt": "space",
          "html/umlaut-ä.txt": "umlaut",
          "html/empty.txt": "",
          "html/sub/index.html": "sub",
          "html/bare/file.txt": "bare",
          "html/big.bin": BIG,
          "secret.txt": "SECRET",
          "html-secret/x.txt": "SECRET",
        },
      },
    );
    folder = hawser.folder;
    fs.utimesSync(path.join(folder, "html/digits.txt"), MODIFIED, MODIFIED);
  });
  after(() => crew.end());

  const get = (t, target, more = "", method = "GET") => ask(t, hawser.port, `${method} ${target} HTTP/1.1\r\nHost: h\r\n${more}Connection: close\r\n\r\n`, { method });

  for (const [target, type, body] of [
    ["/", "text/html", "<h1>hello</h1>"],
    ["/index.html", "text/html", "<h1>hello</h1>"],
    ["/style.css", "text/css", "body{}"],
    ["/app.js", "application/javascript", "1"],
    ["/digits.txt?query=1", "text/plain", DIGITS],
    ["/noext", "application/octet-stream", "x"],
    ["/a%20b.txt", "text/plain", "space"],
    ["/umlaut-%C3%A4.txt", "text/plain", "umlaut"],
    ["/empty.txt", "text/plain", ""],
    ["/sub/", "text/html", "sub"],
    ["/sub/../digits.txt", "text/plain", DIGITS],
    ["/./digits.txt", "text/plain", DIGITS],
    ["//digits.txt", "text/plain", DIGITS],
  ])
    test(`GET ${target}`, async (t) => {
      const answer = await get(t, target);
      assert.equal(answer.status, 200);
      assert.equal(answer.get("content-type"), type);
      assert.equal(answer.body, body);
      assert.equal(answer.get("content-length"), String(body.length));
    });

  test("HEAD gives the same head and no body", async (t) => {
    const [head, full] = [await get(t, "/digits.txt", "", "HEAD"), await get(t, "/digits.txt")];
    assert.equal(head.status, 200);
    for (const name of ["content-length", "content-type", "etag", "last-modified", "accept-ranges"]) assert.equal(head.get(name), full.get(name));
    assert.equal(await head.wire.ended(2000), "");
  });

  test("validators are nginx's", async (t) => {
    const answer = await get(t, "/digits.txt");
    assert.equal(answer.get("last-modified"), "Thu, 29 Feb 2024 12:34:56 GMT");
    assert.equal(answer.get("etag"), `"${(MODIFIED / 1000).toString(16)}-a"`);
    assert.equal(answer.get("accept-ranges"), "bytes");
  });

  test("304 by ETag and by date, 200 when either has changed", async (t) => {
    const { fields } = await get(t, "/digits.txt");
    const { etag, "last-modified": date } = Object.fromEntries(fields);
    for (const [more, status] of [
      [`If-None-Match: ${etag}\r\n`, 304],
      [`If-None-Match: "x", W/${etag}\r\n`, 304],
      ["If-None-Match: *\r\n", 304],
      ['If-None-Match: "other"\r\n', 200],
      [`If-Modified-Since: ${date}\r\n`, 304],
      ["If-Modified-Since: Wed, 28 Feb 2024 12:34:56 GMT\r\n", 200],
      [`If-None-Match: "other"\r\nIf-Modified-Since: ${date}\r\n`, 200],
      ['If-Match: "other"\r\n', 412],
      [`If-Match: ${etag}\r\n`, 200],
      ["If-Unmodified-Since: Wed, 28 Feb 2024 12:34:56 GMT\r\n", 412],
    ]) {
      const answer = await get(t, "/digits.txt", more);
      assert.equal(answer.status, status, more);
      assert.equal(answer.body, status === 200 ? DIGITS : answer.body);
      if (status === 304) {
        assert.equal(answer.get("etag"), etag);
        assert.equal(await answer.wire.ended(2000), "");
      }
    }
  });

  for (const [range, status, contentRange, body] of [
    ["bytes=0-0", 206, "bytes 0-0/10", "0"],
    ["bytes=2-5", 206, "bytes 2-5/10", "2345"],
    ["bytes=7-", 206, "bytes 7-9/10", "789"],
    ["bytes=-3", 206, "bytes 7-9/10", "789"],
    ["bytes=-100", 206, "bytes 0-9/10", DIGITS],
    ["bytes=5-100", 206, "bytes 5-9/10", "56789"],
    ["bytes=10-", 416, "bytes */10"],
    ["bytes=18446744073709551615-", 416, "bytes */10"],
    ["bytes=-0", 416, "bytes */10"],
    ["items=0-1", 200, undefined, DIGITS],
  ])
    test(`Range: ${range}`, async (t) => {
      const answer = await get(t, "/digits.txt", `Range: ${range}\r\n`);
      assert.equal(answer.status, status);
      assert.equal(answer.get("content-range"), contentRange);
      if (body !== undefined) assert.equal(answer.body, body);
    });

  test("several ranges come as multipart", async (t) => {
    const answer = await get(t, "/digits.txt", "Range: bytes=0-1,4-5,-2\r\n");
    assert.equal(answer.status, 206);
    const [, boundary] = /^multipart\/byteranges; boundary=(.+)$/.exec(answer.get("content-type"));
    const parts = answer.body.split(`--${boundary}`).slice(1, -1);
    assert.deepEqual(
      parts.map((part) => [/content-range: (.*)\r\n/i.exec(part)[1], part.split("\r\n\r\n")[1].trim()]),
      [["bytes 0-1/10", "01"], ["bytes 4-5/10", "45"], ["bytes 8-9/10", "89"]],
    );
    assert.match(answer.body, new RegExp(`--${boundary}--\r\n$`));
    assert.equal(answer.get("content-length"), String(answer.body.length));
  });

  test("If-Range asks for the range of an unchanged file only", async (t) => {
    const { fields } = await get(t, "/digits.txt");
    const { etag, "last-modified": date } = Object.fromEntries(fields);
    for (const [value, status] of [[etag, 206], ['"other"', 200], [date, 206], ["Wed, 28 Feb 2024 12:34:56 GMT", 200]])
      assert.equal((await get(t, "/digits.txt", `Range: bytes=0-1\r\nIf-Range: ${value}\r\n`)).status, status, value);
  });

  test("a big file comes whole, and its middle too", async (t) => {
    const whole = Buffer.from((await get(t, "/big.bin")).body, "latin1");
    assert.ok(whole.equals(BIG));
    const middle = await get(t, "/big.bin", "Range: bytes=1000000-2000000\r\n");
    assert.ok(Buffer.from(middle.body, "latin1").equals(BIG.subarray(1000000, 2000001)));
  });

  test("a folder without its slash is a redirect that keeps host and query", async (t) => {
    const answer = await ask(t, hawser.port, `GET /sub?a=1 HTTP/1.1\r\nHost: example.com:${hawser.port}\r\nConnection: close\r\n\r\n`);
    assert.equal(answer.status, 301);
    const { pathname, search } = new URL(answer.get("location"), "http://example.com");
    assert.equal(pathname + search, "/sub/?a=1");
  });

  for (const [target, status] of [
    ["/none.txt", 404],
    ["/none/", 404],
    ["/bare/", 403],
    ["/digits.txt/", 404],
    ["/digits.txt/x", 404],
  ])
    test(`GET ${target} is ${status}`, async (t) => {
      const answer = await get(t, target);
      assert.equal(answer.status, status);
    });

  for (const target of [
    "/../secret.txt",
    "/sub/../../secret.txt",
    "/..",
    "/%2e%2e/secret.txt",
    "/%2E%2E%2Fsecret.txt",
    "/..%2fsecret.txt",
    "/sub/..%2f..%2fsecret.txt",
    "/%2e%2e%5csecret.txt",
    "/..\\secret.txt",
    "/sub/%2e%2e/%2e%2e/secret.txt",
    "/.%2e/secret.txt",
    "/%252e%252e/secret.txt",
    "/..;/secret.txt",
    "/../html-secret/x.txt",
    "/%00/../secret.txt",
    "/digits.txt%00.html",
    "/%c0%ae%c0%ae/secret.txt",
    "//../secret.txt",
    "/./../secret.txt",
    "/sub/.../../../secret.txt",
    "http://h/../secret.txt",
    "/%",
    "/%2",
    "/%zz",
  ])
    test(`no escape by ${target}`, async (t) => {
      const answer = await get(t, target);
      assert.ok(answer.status === 400 || answer.status === 404 || answer.status === 403, `${answer.status}`);
      assert.doesNotMatch(answer.body, /SECRET|root:/);
    });

  test("other methods are 405", async (t) => {
    for (const method of ["POST", "PUT", "DELETE"]) {
      const answer = await ask(t, hawser.port, `${method} /digits.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      assert.equal(answer.status, 405, method);
    }
  });

  test("files that appear, change and go are seen", async (t) => {
    const file = path.join(folder, "html/new.txt");
    assert.equal((await get(t, "/new.txt")).status, 404);
    fs.writeFileSync(file, "one");
    assert.equal((await get(t, "/new.txt")).body, "one");
    fs.writeFileSync(file, "other");
    assert.equal((await get(t, "/new.txt")).body, "other");
    fs.rmSync(file);
    assert.equal((await get(t, "/new.txt")).status, 404);
  });

  test("many on one connection, pipelined", async (t) => {
    const wire = await connect(t, hawser.port);
    const one = (target) => `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`;
    wire.write(one("/digits.txt") + one("/big.bin") + one("/none") + one("/sub/"));
    assert.equal((await wire.takeResponse()).body, DIGITS);
    assert.equal((await wire.takeResponse("GET", 10000)).body.length, BIG.length);
    assert.equal((await wire.takeResponse()).status, 404);
    assert.equal((await wire.takeResponse()).body, "sub");
  });

  test("Socket.IO beside them: the client's file is proxied, and clients chat", async (t) => {
    const script = await get(t, "/socket.io/socket.io.js");
    assert.equal(script.status, 200);
    assert.match(script.body, /Socket\.IO/);
    const client = await joinClient(t, hawser.url);
    assert.equal((await echo(client, 1)).transport, "websocket");
  });
});
