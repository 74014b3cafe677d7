"use strict";
// When a connection becomes a tunnel, what a tunnel carries, and when there must be none.

const assert = require("node:assert");
const fs = require("node:fs");
const { describe, test } = require("node:test");
const { WebSocket, WebSocketServer } = require("ws");
const { isSanitized, inBatches, sleep, until, within, SLOW } = require("./lib/base.js");
const { startOneliner, startConfig } = require("./lib/hawser.js");
const { connect, ask, startRawBackend } = require("./lib/wire.js");
const { KEY, ACCEPT, frame, handshake, switching } = require("./lib/frames.js");

const PLAIN = "GET /plain HTTP/1.1\r\nHost: example.com\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const CLIENT_BYTES = frame("glued by the client", { mask: true });
const SERVER_BYTES = frame("glued by the server");
const SECRET = "GET /secret HTTP/1.1\r\nHost: inner\r\n\r\n";
/* No request at all: reaches a server by a tunnel only. */
const RAW = "\x81\x86secret of the client";

/* Accepts every upgrade, then gives back whatever comes. */
async function echoing(wire) {
  const request = await wire.takeRequest();
  wire.request = request;
  if (!request.get("upgrade")) return wire.write(OK);
  wire.write(switching(request));
  wire.write(wire.rest);
  wire.at = wire.all.length;
  wire.socket.on("data", (bytes) => wire.socket.write(bytes));
  wire.socket.on("end", () => wire.socket.end());
}

const answering = (answer) => async (wire) => {
  for (;;) {
    wire.request = await wire.takeRequest(60000);
    wire.write(typeof answer === "function" ? answer(wire.request) : answer);
  }
};

async function start(t, serve = echoing) {
  const backend = await startRawBackend(t, serve);
  const hawser = await startOneliner(t, [`http://127.0.0.1:${backend.port}`]);
  return { backend, hawser };
}

async function tunnel(t, hawser, options) {
  const wire = await connect(t, hawser.port);
  wire.write(handshake(options));
  const answer = await wire.takeHead();
  assert.equal(answer.status, 101, answer.text);
  return Object.assign(wire, { answer });
}

/* A server that says no more than its 101. */
const accepting = async (wire) => {
  wire.write(switching(await wire.takeRequest()));
};

/* Both ends of a tunnel to it. */
async function quietTunnel(t) {
  const { backend, hawser } = await start(t, accepting);
  const wire = await tunnel(t, hawser);
  return { wire, back: backend.wires[0] };
}

describe("a handshake", () => {
  test("as the text books show it, byte for byte", async (t) => {
    const { backend, hawser } = await start(t);
    const wire = await connect(t, hawser.port);
    wire.write(
      "GET /websocket HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    const answer = await wire.takeHead();
    assert.equal(answer.first, "HTTP/1.1 101 Switching Protocols");
    assert.equal(answer.get("upgrade"), "websocket");
    assert.match(answer.get("connection"), /^upgrade$/i);
    assert.equal(answer.get("sec-websocket-accept"), ACCEPT);
    const seen = backend.wires[0].request;
    assert.equal(seen.first, "GET /websocket HTTP/1.1");
    assert.equal(seen.get("sec-websocket-key"), KEY);
    assert.equal(seen.get("origin"), "http://example.com");
    assert.equal(seen.get("sec-websocket-version"), "13");
    assert.equal(seen.get("upgrade"), "websocket");
    assert.match(seen.get("connection"), /^upgrade$/i);
    wire.write("\x81\x85\x01\x02\x03\x04ignored!");
    assert.equal(await wire.take(14), "\x81\x85\x01\x02\x03\x04ignored!");
  });

  for (const [what, options] of Object.entries({
    "WebSocket": { upgrade: "WebSocket" },
    "WEBSOCKET": { upgrade: "WEBSOCKET" },
    "a list of connection options": { connection: "keep-alive, Upgrade" },
    "a list without spaces": { connection: "keep-alive,UPGRADE" },
    "two Connection lines": { connection: "keep-alive", more: "Connection: upgrade\r\n" },
    "a list with empty members": { connection: ", ,upgrade," },
    "a query": { target: "/websocket?a=1&b=%20" },
    "the key of another client": { key: "AQIDBAUGBwgJCgsMDQ4PEA==" },
  }))
    test(`with ${what} is accepted`, async (t) => {
      const { backend, hawser } = await start(t);
      const wire = await tunnel(t, hawser, options);
      wire.write("ping");
      assert.equal(await wire.take(4), "ping");
      assert.match(backend.wires[0].request.get("upgrade"), /^websocket$/i);
      assert.equal(backend.wires[0].request.target, options.target || "/websocket");
    });

  test("subprotocol and extensions pass both ways", async (t) => {
    const { backend, hawser } = await start(t, async (wire) => {
      wire.request = await wire.takeRequest();
      wire.write(switching(wire.request).replace(/\r\n\r\n$/, "\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\nX-More: 1\r\n\r\n"));
    });
    const more = "Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Extensions: permessage-deflate\r\nCookie: a=b\r\n";
    const { answer } = await tunnel(t, hawser, { more });
    assert.equal(answer.get("sec-websocket-protocol"), "chat");
    assert.equal(answer.get("sec-websocket-extensions"), "permessage-deflate");
    assert.equal(answer.get("x-more"), "1");
    const seen = backend.wires[0].request;
    assert.equal(seen.get("sec-websocket-protocol"), "chat, superchat");
    assert.equal(seen.get("cookie"), "a=b");
  });

  test("cut into single bytes is still one", async (t) => {
    const { hawser } = await start(t);
    const wire = await connect(t, hawser.port);
    for (const letter of handshake() + CLIENT_BYTES) {
      wire.write(letter);
      await new Promise(setImmediate);
    }
    assert.equal((await wire.takeHead()).status, 101);
    assert.equal(await wire.take(CLIENT_BYTES.length), CLIENT_BYTES);
  });

  test("of another version is the server's to refuse", async (t) => {
    const { backend, hawser } = await start(t, answering("HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n"));
    const answer = await ask(t, hawser.port, handshake({ version: "12" }));
    assert.equal(answer.status, 426);
    assert.equal(answer.get("sec-websocket-version"), "13");
    assert.equal(backend.wires[0].request.get("sec-websocket-version"), "12");
  });
});

describe("a tunnel", () => {
  test("delivers what came glued behind either head, first and once", async (t) => {
    const { backend, hawser } = await start(t, async (wire) => {
      const request = await wire.takeRequest();
      wire.write(switching(request) + SERVER_BYTES);
    });
    const wire = await connect(t, hawser.port);
    wire.write(handshake() + CLIENT_BYTES);
    assert.equal((await wire.takeHead()).status, 101);
    assert.equal(await wire.take(SERVER_BYTES.length), SERVER_BYTES);
    const [back] = backend.wires;
    assert.equal(await back.take(CLIENT_BYTES.length), CLIENT_BYTES);
    wire.write("more");
    assert.equal(await back.take(4), "more");
    back.write("even more");
    assert.equal(await wire.take(9), "even more");
    assert.equal(wire.rest + back.rest, "");
  });

  test("delivers 20 KB glued behind the 101", async (t) => {
    const much = "0123456789".repeat(2000);
    const { hawser } = await start(t, async (wire) => {
      const request = await wire.takeRequest();
      wire.write(switching(request) + much);
    });
    const wire = await tunnel(t, hawser);
    assert.equal(await wire.take(much.length), much);
  });

  test("is half-closed by the client: the server may still speak", async (t) => {
    const { wire, back } = await quietTunnel(t);
    wire.end("the last words");
    assert.equal(await back.take(14), "the last words");
    await back.ended();
    const much = "x".repeat(300000);
    back.end(much);
    assert.equal(await wire.take(much.length), much);
    await wire.closed();
    await back.closed();
  });

  test("is half-closed by the server: the client may still speak", async (t) => {
    const { wire, back } = await quietTunnel(t);
    back.end("bye");
    assert.equal(await wire.take(3), "bye");
    await wire.ended();
    const much = "y".repeat(300000);
    wire.end(much);
    assert.equal(await back.take(much.length), much);
    await back.closed();
    await wire.closed();
  });

  test("ends at once on the other side when one side resets", async (t) => {
    const { backend, hawser } = await start(t);
    for (const who of ["client", "server"]) {
      const wire = await tunnel(t, hawser);
      wire.write("hello");
      await wire.take(5);
      const back = backend.wires.at(-1);
      (who === "client" ? wire : back).reset();
      await (who === "client" ? back : wire).closed(1000);
    }
  });

  test("carries single bytes without a delay", async (t) => {
    const { hawser } = await start(t);
    const wire = await tunnel(t, hawser);
    const times = [];
    for (let i = 0; i < 300; i++) {
      const from = performance.now();
      wire.write("a");
      await new Promise(setImmediate);
      wire.write("b");
      await new Promise((resolve) => {
        const hear = () => wire.rest.length >= 2 && (wire.socket.off("data", hear), resolve());
        wire.socket.on("data", hear);
        hear();
      });
      assert.equal(await wire.take(2), "ab");
      times.push(performance.now() - from);
    }
    times.sort((a, b) => a - b);
    assert.ok(times[150] < 10 * SLOW, `half of the round trips took over ${times[150]} ms`);
  });

  test("carries messages of every size, whole and in order", async (t) => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: true, maxPayload: 64 << 20 });
    t.after(() => server.close());
    server.on("connection", (socket) => socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })));
    await new Promise((resolve) => server.once("listening", resolve));
    const hawser = await startOneliner(t, [`http://127.0.0.1:${server.address().port}`]);
    for (const perMessageDeflate of [false, true]) {
      const client = new WebSocket(`ws://127.0.0.1:${hawser.port}/x`, { perMessageDeflate, maxPayload: 64 << 20 });
      t.after(() => client.terminate());
      await within(5000, new Promise((resolve, reject) => client.once("open", resolve).once("error", reject)), "open");
      const sizes = [0, 1, 125, 126, 127, 65535, 65536, 65537, 1 << 20, 16 << 20];
      const sent = sizes.map((size, i) => Buffer.alloc(size, `message ${i} `));
      const got = [];
      client.on("message", (data) => got.push(data));
      for (const message of sent) client.send(message);
      await until(() => got.length === sent.length, () => `${sent.length} messages, have ${got.length}`, 30000);
      sent.forEach((message, i) => assert.ok(message.equals(got[i]), `message ${i} came different`));
      client.close(4001, "enough");
      const [code, reason] = await new Promise((resolve) => client.once("close", (...args) => resolve(args)));
      assert.deepEqual([code, reason.toString()], [4001, "enough"]);
    }
  });

  test("closes when it was idle for proxy_read_timeout, and not before", async (t) => {
    const backend = await startRawBackend(t, accepting);
    const hawser = await startConfig(t, ({ port }) => `http { server { listen 127.0.0.1:${port}; location / {
      proxy_pass http://127.0.0.1:${backend.port}; proxy_read_timeout 1s; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; } } }`);
    const wire = await tunnel(t, hawser);
    const [back] = backend.wires;
    for (let i = 0; i < 6; i++) {
      await sleep(400);
      back.write(".");
      await wire.take(1);
    }
    const from = performance.now();
    await wire.closed(4000);
    const took = performance.now() - from;
    assert.ok(took > 800 && took < 2000 * SLOW, `closed after ${took} ms of silence`);
    await back.closed(1000);
  });

  test("costs less than 1,100 bytes while it is idle, with its line in the access log to come", async (t) => {
    const count = 1000;
    const backend = await startRawBackend(t, echoing);
    const hawser = await startConfig(t, ({ port, folder }) => `http { access_log ${folder}/line combined; server { listen 127.0.0.1:${port}; location / {
      proxy_pass http://127.0.0.1:${backend.port}; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; } } }`);
    const options = { more: "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36\r\n" };
    const open = () => inBatches(count, 20, () => tunnel(t, hawser, options));
    const firsts = await open(); // what is grown once is there
    const before = hawser.pss();
    const wires = await open();
    const each = (hawser.pss() - before) / count;
    t.diagnostic(`${each} bytes each`);
    if (!isSanitized) assert.ok(each < 1100, `${each} bytes each`);
    for (const wire of [...firsts, ...wires]) wire.end();
    const lines = () => fs.readFileSync(`${hawser.folder}/line`, "utf8").split("\n").length - 1;
    await until(() => lines() === 2 * count, () => `${2 * count} lines, have ${lines()}`, 10000);
  });
});

describe("no tunnel", () => {
  test("when the server refuses: its answer comes whole, and the connection goes on", async (t) => {
    const body = '{"code":4,"message":"Forbidden"}';
    const { backend, hawser } = await start(t, answering((request) =>
      request.get("upgrade") ? `HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}` : OK));
    const answer = await ask(t, hawser.port, handshake());
    assert.equal(answer.status, 403);
    assert.equal(answer.get("content-type"), "application/json");
    assert.equal(answer.body, body);
    answer.wire.write(PLAIN);
    assert.equal((await answer.wire.takeResponse()).body, "ok");
    assert.match(backend.text, /GET \/plain/);
  });

  for (const [what, answer] of Object.entries({
    "refused with 403": "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno",
    "answered with 200": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno",
    "answered with 200 until the end": "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nno",
  }))
    test(`bytes glued behind an upgrade that is ${what} never reach the server`, async (t) => {
      const { backend, hawser } = await start(t, async (wire) => {
        await wire.takeRequest();
        await sleep(100); // the bytes would be here by now
        if (answer.includes("close")) wire.end(answer);
        else wire.write(answer);
      });
      const wire = await connect(t, hawser.port);
      wire.write(handshake() + SECRET);
      const got = await wire.takeResponse("GET");
      assert.equal(got.body, "no");
      wire.write(SECRET);
      await wire.closed(3000);
      assert.doesNotMatch(backend.text, /secret/);
      assert.equal(wire.rest, "", "something came behind the answer");
    });

  for (const [what, answer] of Object.entries({
    "a wrong accept key": (request) => switching(request, "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    "no accept key": (request) => switching(request).replace(/Sec-WebSocket-Accept.*\r\n/, ""),
    "the accept key twice": (request) => switching(request).replace(/(Sec-WebSocket-Accept: .*\r\n)/, "$1Sec-WebSocket-Accept: x\r\n"),
    "another protocol": (request) => switching(request).replace("Upgrade: websocket", "Upgrade: h2c"),
    "no Upgrade": (request) => switching(request).replace("Upgrade: websocket\r\n", ""),
    "no Connection": (request) => switching(request).replace("Connection: Upgrade\r\n", ""),
  }))
    test(`when the 101 has ${what}: 502`, async (t) => {
      const { backend, hawser } = await start(t, async (wire) => {
        const request = await wire.takeRequest();
        wire.write(answer(request) + "raw bytes of the server");
      });
      const wire = await connect(t, hawser.port);
      wire.write(handshake());
      const got = await wire.takeResponse("GET");
      assert.equal(got.status, 502);
      wire.write(RAW);
      await backend.wires[0].closed();
      await sleep(50);
      assert.doesNotMatch(backend.text, /secret/);
      assert.doesNotMatch(wire.all, /raw bytes/);
    });

  for (const [what, text, isForwarded] of [
    ["Upgrade without Connection: upgrade", handshake({ connection: "keep-alive" }), true],
    ["Upgrade and no Connection", handshake({ connection: null }), true],
    ["Connection: upgrade without Upgrade", handshake({ upgrade: null }), true],
    ["Upgrade: h2c", handshake({ upgrade: "h2c", connection: "Upgrade, HTTP2-Settings", more: "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n" }), true],
    ["a request that never asked", PLAIN, true],
    ["HTTP/1.0", handshake().replace("HTTP/1.1", "HTTP/1.0"), true],
    ["a POST", handshake().replace("GET", "POST").replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n"), true],
  ])
    test(`for ${what}, even if the server says 101`, async (t) => {
      const { backend, hawser } = await start(t, async (wire) => {
        const request = await wire.takeRequest();
        wire.request = request;
        wire.write(switching(request, request.get("sec-websocket-key") ? undefined : ACCEPT) + "raw bytes of the server");
      });
      const wire = await connect(t, hawser.port);
      wire.write(text);
      const got = await wire.takeResponse("GET");
      assert.ok(got.status === 502 || got.status === 400, `${got.status}`);
      wire.write(RAW);
      if (isForwarded && backend.wires.length) {
        assert.equal(backend.wires[0].request.get("upgrade"), undefined, "Upgrade was passed on");
        assert.equal(backend.wires[0].request.get("http2-settings"), undefined);
        await backend.wires[0].closed();
      }
      await sleep(50);
      assert.doesNotMatch(backend.wires[0]?.all || "", /secret/);
      assert.doesNotMatch(wire.all, /raw bytes/);
    });

  for (const [what, options] of Object.entries({
    "no key": { key: null },
    "a key that is no key": { key: "short" },
    "two keys": { more: `Sec-WebSocket-Key: ${KEY}\r\n` },
  }))
    test(`for a handshake with ${what}`, async (t) => {
      const { backend, hawser } = await start(t, async (wire) => {
        await wire.takeRequest();
        wire.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\nraw bytes`);
      });
      const wire = await connect(t, hawser.port);
      wire.write(handshake(options));
      const got = await wire.takeResponse("GET");
      assert.ok(got.status === 502 || got.status === 400, `${got.status}`);
      wire.write(RAW);
      await sleep(50);
      assert.doesNotMatch(backend.text, /secret/);
      assert.doesNotMatch(wire.all, /raw bytes/);
    });
});

describe("in nginx's words", () => {
  const map = (port, backend, lines) => `http {
    map $http_upgrade $connection_upgrade { default upgrade; '' close; }
    server { listen 127.0.0.1:${port};
      location /websocket { proxy_pass http://127.0.0.1:${backend.port}; ${lines} } } }`;

  test("the map gives upgrade or close", async (t) => {
    const backend = await startRawBackend(t, echoing);
    const hawser = await startConfig(t, ({ port }) => map(port, backend, `proxy_http_version 1.1; proxy_set_header Host $host;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;`));
    const wire = await tunnel(t, hawser, { host: "Example.COM:8080" });
    wire.write("ping");
    assert.equal(await wire.take(4), "ping");
    const seen = backend.wires[0].request;
    assert.equal(seen.get("connection"), "upgrade");
    assert.equal(seen.get("upgrade"), "websocket");
    assert.equal(seen.get("host"), "example.com");

    const answer = await ask(t, hawser.port, PLAIN.replace("/plain", "/websocket/plain"));
    assert.equal(answer.body, "ok");
    const plain = backend.wires[1].request;
    assert.equal(plain.get("connection"), "close");
    assert.equal(plain.get("upgrade"), undefined);
  });

  test("no lines at all pass an upgrade", async (t) => {
    const backend = await startRawBackend(t, echoing);
    const hawser = await startConfig(t, ({ port }) => map(port, backend, ""));
    const wire = await tunnel(t, hawser);
    wire.write("ping");
    assert.equal(await wire.take(4), "ping");
  });

  test('proxy_set_header Upgrade ""; passes none', async (t) => {
    const backend = await startRawBackend(t, echoing);
    const hawser = await startConfig(t, ({ port }) => map(port, backend, 'proxy_set_header Upgrade "";'));
    const answer = await ask(t, hawser.port, handshake());
    assert.equal(answer.status, 200);
    assert.equal(backend.wires[0].request.get("upgrade"), undefined);
  });

  test("$http_upgrade for a request without Connection: upgrade opens no tunnel", async (t) => {
    const backend = await startRawBackend(t, echoing);
    const hawser = await startConfig(t, ({ port }) => map(port, backend, `proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;`));
    const wire = await connect(t, hawser.port);
    wire.write(handshake({ connection: null }));
    const got = await wire.takeResponse("GET");
    assert.notEqual(got.status, 101);
    wire.write(RAW);
    await sleep(50);
    assert.doesNotMatch(backend.wires[0]?.all || "", /secret/);
  });
});
