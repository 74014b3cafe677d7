"use strict";
// HTTP/1 through the proxy: framing both ways, streaming, big bodies, aborts, and what is retried.

const assert = require("node:assert");
const crypto = require("node:crypto");
const http = require("node:http");
const { describe, test } = require("node:test");
const { sleep, until, isSanitized, inBatches } = require("./lib/base.js");
const { startOneliner, startConfig } = require("./lib/hawser.js");
const { connect, ask, startRawBackend } = require("./lib/wire.js");

const MB = 1 << 20;
const get = (target = "/", more = "") => `GET ${target} HTTP/1.1\r\nHost: h\r\n${more}\r\n`;
const ok = (body, more = "") => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;

/* Answers each request by answer(request, number). */
const answering = (answer) => async (wire) => {
  for (let i = 0; ; i++) {
    const request = await wire.takeRequest(60000);
    const text = await answer(request, i, wire);
    if (text === undefined) return;
    wire.write(text);
  }
};

async function start(t, serve, options) {
  const backend = await startRawBackend(t, serve);
  const hawser = await startOneliner(t, [`http://127.0.0.1:${backend.port}`], options);
  return { backend, hawser };
}

async function startHttp(t, listener) {
  const server = http.createServer(listener);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))));
  const hawser = await startOneliner(t, [`http://127.0.0.1:${server.address().port}`]);
  return { server, hawser };
}

const proxied = (port, backends, lines = "", more = "") => `http {
  upstream nodes { ${backends.map((backend) => `server 127.0.0.1:${backend.port};`).join(" ")} ${more} }
  server { listen 127.0.0.1:${port}; location / { proxy_pass http://nodes; ${lines} } } }`;

describe("connections", () => {
  test("are kept: 50 requests on one, and the server's is kept too", async (t) => {
    const { backend, hawser } = await start(t, answering((request) => ok(request.target)));
    const wire = await connect(t, hawser.port);
    for (let i = 0; i < 50; i++) {
      wire.write(get(`/${i}`));
      assert.equal((await wire.takeResponse()).body, `/${i}`);
    }
    const used = backend.wires.filter((one) => one.all).length;
    assert.equal(used, 1, `${used} connections to the server`);
  });

  test("may be pipelined: answers come in order", async (t) => {
    const { hawser } = await start(t, answering(async (request) => {
      await sleep(request.target === "/0" ? 100 : 1);
      return request.method === "POST" ? ok(`${request.target} ${request.body}`) : ok(request.target);
    }));
    const wire = await connect(t, hawser.port);
    wire.write(get("/0") + get("/1") + "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello" + get("/3") +
      "POST /4 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + get("/5"));
    for (const body of ["/0", "/1", "/2 hello", "/3", "/4 abc", "/5"]) assert.equal((await wire.takeResponse()).body, body);
    assert.equal(wire.rest, "");
  });

  test("end after Connection: close and after HTTP/1.0", async (t) => {
    const { hawser } = await start(t, answering((request) => ok(request.target)));
    for (const text of [get("/a", "Connection: close\r\n"), "GET /a HTTP/1.0\r\nHost: h\r\n\r\n", "GET /a HTTP/1.0\r\n\r\n"]) {
      const answer = await ask(t, hawser.port, text);
      assert.equal(answer.body, "/a");
      await answer.wire.closed(2000);
    }
  });

  test("of HTTP/1.0 are kept when asked for", async (t) => {
    const { hawser } = await start(t, answering((request) => ok(request.target)));
    const wire = await connect(t, hawser.port);
    for (const target of ["/a", "/b"]) {
      wire.write(`GET ${target} HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n`);
      const answer = await wire.takeResponse();
      assert.equal(answer.body, target);
      assert.match(answer.get("connection") || "", /keep-alive/i);
    }
  });

  test("kept ones of the server that it closed cost no request", async (t) => {
    const { backend, hawser } = await start(t, answering((request, i, wire) => {
      if (i === 0) setTimeout(() => wire.end(), 5);
      return ok(request.target);
    }));
    const wire = await connect(t, hawser.port);
    for (let i = 0; i < 20; i++) {
      wire.write(get(`/${i}`));
      assert.equal((await wire.takeResponse()).body, `/${i}`);
      await sleep(i % 10); // sometimes before, sometimes after, sometimes at the close
    }
    assert.ok(backend.wires.length > 5);
  });
});

describe("headers", () => {
  test("of the hop are not passed on, all others are, in order", async (t) => {
    const { backend, hawser } = await start(t, answering(() => ok("x", "X-One: 1\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Two: 2\r\n")));
    const answer = await ask(t, hawser.port, get("/a?b=%2f&&c#".replace("#", ""),
      "X-A: 1\r\nConnection: X-Private, keep-alive\r\nX-Private: secret\r\nKeep-Alive: 1\r\nProxy-Connection: x\r\nTE: gzip\r\nx-b: \t two words \t\r\nX-A: 2\r\n"));
    const [wire] = backend.wires;
    assert.match(wire.all, /^GET \/a\?b=%2f&&c HTTP\/1\.1\r\n/);
    assert.doesNotMatch(wire.all, /x-private|keep-alive:|proxy-connection/i);
    assert.match(wire.all, /X-A: 1\r\n(.*\r\n)*X-A: 2\r\n/i);
    assert.match(wire.all, /x-b: two words\r\n/i);
    assert.deepEqual(answer.getAll("set-cookie"), ["a=1", "b=2"]);
    assert.equal(answer.get("x-hop"), undefined);
    assert.equal(answer.get("keep-alive"), undefined);
    assert.ok(answer.text.indexOf("X-One") < answer.text.indexOf("X-Two"));
  });

  test("tell the server of the client", async (t) => {
    const { backend, hawser } = await start(t, answering(() => ok("x")));
    await ask(t, hawser.port, "GET / HTTP/1.1\r\nHost: Chat.Example:8080\r\nConnection: close\r\n\r\n", { localAddress: "127.5.6.7" });
    const head = backend.wires[0].all;
    assert.match(head, /^x-forwarded-for: 127\.5\.6\.7\r$/im);
    assert.match(head, /^x-forwarded-proto: http\r$/im);
    assert.match(head, /^x-forwarded-host: chat\.example(:8080)?\r$/im);
    assert.match(head, /^host: chat\.example:8080\r$/im);
  });

  const counting = answering((request) => ok(String((request.get("x-big") || "").length)));
  const big = (length) => get("/", `X-Big: ${"x".repeat(length)}\r\n`);

  test("of 7 KB fit, and a target above the limit is 414", async (t) => {
    const { hawser } = await start(t, counting);
    assert.equal((await ask(t, hawser.port, big(7000))).body, "7000");
    assert.equal((await ask(t, hawser.port, get(`/${"x".repeat(40000)}`))).status, 414);
  });

  test("above the limit are refused, in one piece", async (t) => {
    const { hawser } = await start(t, counting);
    for (const length of [9000, 40000]) assert.ok([431, 400].includes((await ask(t, hawser.port, big(length))).status), `${length}`);
  });

  test("above the limit are refused, in many pieces", async (t) => {
    const { hawser } = await start(t, counting);
    const wire = await connect(t, hawser.port);
    const text = big(40000);
    for (let at = 0; at < text.length && !wire.isOver; at += 1000) {
      wire.write(text.slice(at, at + 1000));
      await sleep(1);
    }
    assert.ok([431, 400].includes((await wire.takeResponse()).status));
  });
});

describe("bodies", () => {
  test("chunked and with trailers, both ways", async (t) => {
    const { backend, hawser } = await start(t, answering((request) => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n` +
      `${request.body.length.toString(16)};ext=1\r\n${request.body}\r\n1\r\n!\r\n0\r\nX-Sum: 42\r\n\r\n`));
    const wire = await connect(t, hawser.port);
    for (let i = 0; i < 2; i++) {
      wire.write("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-Check\r\n\r\n5\r\nhello\r\n");
      await sleep(20);
      wire.write("7;a=\"b\"\r\n, world\r\n000\r\nX-Check: 7\r\n\r\n");
      const answer = await wire.takeResponse();
      assert.equal(answer.body, "hello, world!");
      assert.ok(answer.trailers === "" || /X-Sum: 42/.test(answer.trailers));
    }
    assert.equal(wire.rest, "");
  });

  test("chunked cut into single bytes, both ways", async (t) => {
    const { hawser } = await start(t, async (wire) => {
      const { body } = await wire.takeRequest(20000);
      for (const letter of `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab!\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`) {
        wire.write(letter);
        await new Promise(setImmediate);
      }
    });
    const wire = await connect(t, hawser.port);
    for (const letter of "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\nA\r\n0123456789\r\n0\r\n\r\n") {
      wire.write(letter);
      await new Promise(setImmediate);
    }
    assert.equal((await wire.takeResponse("POST", 20000)).body, "ab!x0123456789");
  });

  test("until the end of the connection", async (t) => {
    const { hawser } = await start(t, async (wire) => {
      await wire.takeRequest();
      wire.write("HTTP/1.1 200 OK\r\n\r\nfirst ");
      await sleep(50);
      wire.end("last");
    });
    assert.equal((await ask(t, hawser.port, get("/", "Connection: close\r\n"))).body, "first last");
    const kept = await ask(t, hawser.port, get());
    assert.equal(kept.body, "first last");
    const old = await ask(t, hawser.port, "GET / HTTP/1.0\r\n\r\n");
    assert.equal(old.body, "first last");
  });

  test("a chunked answer for an HTTP/1.0 client is not chunked", async (t) => {
    const { hawser } = await start(t, answering(() => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
    const answer = await ask(t, hawser.port, "GET / HTTP/1.0\r\n\r\n");
    assert.equal(answer.get("transfer-encoding"), undefined);
    assert.equal(answer.body, "hello");
  });

  test("there is none for HEAD, 204 and 304, and the connection goes on", async (t) => {
    const { hawser } = await start(t, answering((request) => ({
      "/head": "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
      "/chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      "/204": "HTTP/1.1 204 No Content\r\n\r\n",
      "/304": "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 7\r\n\r\n",
      "/ok": ok("ok"),
    })[request.target]));
    const wire = await connect(t, hawser.port);
    for (const [method, target, status] of [["HEAD", "/head", 200], ["HEAD", "/chunked", 200], ["GET", "/204", 204], ["GET", "/304", 304]]) {
      wire.write(get(target).replace("GET", method));
      const answer = await wire.takeResponse(method);
      assert.equal(answer.status, status);
      if (target === "/head") assert.equal(answer.get("content-length"), "1000");
      wire.write(get("/ok"));
      assert.equal((await wire.takeResponse()).body, "ok", `after ${target}`);
    }
  });

  test("100-continue: the body comes only when it is asked for", async (t) => {
    const { hawser } = await start(t, answering((request) => ok(`got ${request.body}`)));
    const wire = await connect(t, hawser.port);
    wire.write("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    assert.equal((await wire.takeHead()).status, 100);
    wire.write("body");
    assert.equal((await wire.takeResponse("POST")).body, "got body");
  });

  test("1xx answers before the final one are no answers", async (t) => {
    const { hawser } = await start(t, answering(() => "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok("final")));
    const wire = await connect(t, hawser.port);
    wire.write(get());
    let answer = await wire.takeResponse();
    if (answer.status === 103) answer = await wire.takeResponse();
    assert.equal(answer.body, "final");
    wire.write(get());
    answer = await wire.takeResponse();
    if (answer.status === 103) answer = await wire.takeResponse();
    assert.equal(answer.body, "final");
  });

  test("early_hints says whether a 103 passes", async (t) => {
    const backend = await startRawBackend(t, answering(() => "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok("final")));
    const hawser = await startConfig(t, ({ port }) => `http { server { listen 127.0.0.1:${port}; early_hints $http_sec_fetch_mode; location / { proxy_pass http://127.0.0.1:${backend.port}; } } }`);
    const wire = await connect(t, hawser.port);
    wire.write(get());
    assert.equal((await wire.takeResponse()).body, "final");
    wire.write(get("/", "Sec-Fetch-Mode: navigate\r\n"));
    assert.equal((await wire.takeResponse()).status, 103);
    assert.equal((await wire.takeResponse()).body, "final");
  });

  test("cut short by the server are not passed off as whole", async (t) => {
    for (const text of ["HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n"]) {
      const { hawser } = await start(t, async (wire) => {
        await wire.takeRequest();
        wire.end(text);
      });
      const wire = await connect(t, hawser.port);
      wire.write(get());
      await wire.takeHead();
      const rest = await wire.ended(3000);
      assert.doesNotMatch(rest, /0\r\n\r\n$/, "an end was made up");
      assert.match(rest, /short/);
    }
  });

  test("that are too large are 413 before the server sees them", async (t) => {
    const backend = await startRawBackend(t, answering((request) => ok(String(request.body.length))));
    const hawser = await startConfig(t, ({ port }) => proxied(port, [backend], "client_max_body_size 1k;"));
    const post = (length) => `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n${"x".repeat(length)}`;
    assert.equal((await ask(t, hawser.port, post(1024))).body, "1024");
    assert.equal((await ask(t, hawser.port, post(1025))).status, 413);
    assert.equal(backend.wires.filter((wire) => wire.all.includes("1025")).length, 0);
  });
});

describe("streams", () => {
  test("server-sent events are not delayed", async (t) => {
    const { hawser } = await startHttp(t, (request, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
      let count = 0;
      const timer = setInterval(() => (++count > 20 ? (clearInterval(timer), response.end()) : response.write(`data: ${performance.timeOrigin + performance.now()}\n\n`)), 25);
    });
    const delays = [];
    await new Promise((resolve, reject) =>
      http.get(hawser.url, (response) => {
        response.on("data", (chunk) => {
          const now = performance.timeOrigin + performance.now();
          for (const [, at] of chunk.toString().matchAll(/data: ([\d.]+)/g)) delays.push(now - Number(at));
        });
        response.on("end", resolve).on("error", reject);
      }));
    assert.equal(delays.length, 20);
    delays.sort((a, b) => a - b);
    assert.ok(delays[15] < 20 * (isSanitized ? 4 : 1), `events came ${delays[15]} ms late`);
  });

  test("a long poll is held and answered", async (t) => {
    const { hawser } = await startHttp(t, (request, response) => setTimeout(() => response.end("late"), 3000));
    const response = await fetch(hawser.url);
    assert.equal(await response.text(), "late");
  });

  test("the answer may begin before the request's body has ended", async (t) => {
    const { hawser } = await startHttp(t, (request, response) => request.pipe(response));
    const wire = await connect(t, hawser.port);
    wire.write("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    await wire.takeHead();
    await wire.takeTo("hello");
    wire.write("5\r\nworld\r\n");
    await wire.takeTo("world");
    wire.write("0\r\n\r\n");
    await wire.takeTo("0\r\n\r\n");
  });

  const SIZE = 100 * MB;
  const block = crypto.randomBytes(MB);
  const sumOf = (size) => {
    const hash = crypto.createHash("sha1");
    for (let sent = 0; sent < size; sent += MB) hash.update(block);
    return hash.digest("hex");
  };
  const pour = (stream, size) =>
    new Promise((resolve, reject) => {
      let sent = 0;
      const more = () => {
        while (sent < size) {
          sent += MB;
          if (!stream.write(block)) return stream.once("drain", more);
        }
        stream.end(resolve);
      };
      stream.once("error", reject);
      more();
    });
  /* The greatest growth of the proxy's memory while act runs. */
  const growth = async (hawser, act) => {
    await fetch(`${hawser.url}/small`).then((response) => response.text());
    const before = hawser.pss();
    let most = before;
    const timer = setInterval(() => (most = Math.max(most, hawser.pss())), 20);
    await act().finally(() => clearInterval(timer));
    return most - before;
  };
  const listener = (request, response) => {
    if (request.url === "/small") return response.end("small");
    if (request.method === "GET") {
      response.writeHead(200, request.url === "/chunked" ? {} : { "Content-Length": SIZE });
      pour(response, SIZE).catch(() => {});
      return;
    }
    const hash = crypto.createHash("sha1");
    request.on("data", (chunk) => hash.update(chunk)).on("end", () => response.end(hash.digest("hex")));
  };

  for (const target of ["/length", "/chunked"])
    test(`100 MB down, ${target.slice(1)}, in bounded memory`, async (t) => {
      const { hawser } = await startHttp(t, listener);
      const hash = crypto.createHash("sha1");
      const grown = await growth(hawser, () => new Promise((resolve, reject) =>
        http.get(hawser.url + target, (response) => response.on("data", (chunk) => hash.update(chunk)).on("end", resolve).on("error", reject))));
      assert.equal(hash.digest("hex"), sumOf(SIZE));
      if (!isSanitized) assert.ok(grown < 2 * MB, `grown by ${grown} bytes`);
    });

  for (const headers of [{ "Content-Length": SIZE }, {}])
    test(`100 MB up, ${headers["Content-Length"] ? "length" : "chunked"}, in bounded memory`, async (t) => {
      const server = http.createServer(listener);
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      t.after(() => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))));
      const hawser = await startConfig(t, ({ port }) => proxied(port, [{ port: server.address().port }], "client_max_body_size 0; proxy_request_buffering off; proxy_http_version 1.1;"));
      let sum;
      const grown = await growth(hawser, () => new Promise((resolve, reject) => {
        const request = http.request(hawser.url, { method: "POST", headers }, (response) => {
          sum = "";
          response.on("data", (chunk) => (sum += chunk)).on("end", resolve);
        });
        request.once("error", reject);
        pour(request, SIZE).catch(reject);
      }));
      assert.equal(sum, sumOf(SIZE));
      if (!isSanitized) assert.ok(grown < 2 * MB, `grown by ${grown} bytes`);
    });
});

describe("aborts", () => {
  test("of a waiting client reach the server at once", async (t) => {
    const { backend, hawser } = await start(t, async (wire) => {
      await wire.takeRequest();
    });
    for (const how of ["destroy", "reset", "end"]) {
      const count = backend.wires.length;
      const wire = await connect(t, hawser.port);
      wire.write(get());
      const back = await until(() => backend.wires[count]?.all.includes("\r\n\r\n") && backend.wires[count], "the request");
      wire[how]();
      if (how === "end") continue; // a half-closed client may still wait for its answer
      await back.closed(1000);
    }
  });

  test("of a client in the middle of an answer reach the server at once", async (t) => {
    const { backend, hawser } = await start(t, async (wire) => {
      await wire.takeRequest();
      wire.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    });
    const wire = await connect(t, hawser.port);
    wire.write(get());
    await wire.takeTo("hello");
    wire.destroy();
    await backend.wires[0].closed(1000);
  });

  test("of a client in the middle of its body reach the server at once", async (t) => {
    const { backend, hawser } = await start(t, async () => {});
    const wire = await connect(t, hawser.port);
    wire.write("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + "x".repeat(50000));
    await until(() => backend.text.length > 50000, "half of the body");
    wire.destroy();
    await backend.wires[0].closed(1000);
  });
});

describe("retries", () => {
  /* One server that fails each connection in its way, and one that answers. */
  const pair = async (t, fail, lines = "", more = "") => {
    const bad = await startRawBackend(t, fail);
    const good = await startRawBackend(t, answering((request) => ok(`good ${request.body}`)));
    const hawser = await startConfig(t, ({ port }) => proxied(port, [bad, good], lines, `${more}`));
    return { bad, good, hawser };
  };
  const dies = async (wire) => {
    await wire.takeRequest();
    wire.destroy();
  };

  test("a refused connection: the next server answers, whatever the method", async (t) => {
    const { bad, hawser } = await pair(t, dies);
    await bad.close();
    for (let i = 0; i < 4; i++) {
      const post = await ask(t, hawser.port, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody");
      assert.equal(post.body, "good body");
      assert.equal((await ask(t, hawser.port, get())).body, "good ");
    }
  });

  test("a GET whose server dies is tried on the next", async (t) => {
    const { bad, hawser } = await pair(t, dies);
    for (let i = 0; i < 4; i++) assert.equal((await ask(t, hawser.port, get("/", "Connection: close\r\n"))).body, "good ");
    assert.ok(bad.wires.length >= 1);
  });

  test("a POST whose server dies is not sent again", async (t) => {
    const { bad, good, hawser } = await pair(t, dies, "", "");
    const statuses = [];
    for (let i = 0; i < 2; i++)
      statuses.push((await ask(t, hawser.port, `POST /${i} HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody`)).status);
    assert.deepEqual(statuses.sort(), [200, 502]);
    assert.equal(bad.wires.filter((wire) => wire.all.includes("POST")).length, 1);
    assert.equal(good.text.match(/POST/g).length, 1);
  });

  test("a request with a sid is never sent again, not even a GET", async (t) => {
    const target = (i) => `/socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAA${i}`;
    for (const more of ["sticky sid;", ""]) {
      const { bad, good, hawser } = await pair(t, dies, "", more);
      const statuses = [];
      for (let i = 10; i < 12; i++) statuses.push((await ask(t, hawser.port, get(target(i), "Connection: close\r\n"))).status);
      assert.deepEqual(statuses.sort(), [200, 502], `with "${more}"`);
      assert.equal(bad.wires.length + good.wires.length, 2);
    }
  });

  test("proxy_next_upstream off tries nobody else", async (t) => {
    const { bad, hawser } = await pair(t, dies, "proxy_next_upstream off;");
    await bad.close();
    const statuses = [];
    for (let i = 0; i < 2; i++) statuses.push((await ask(t, hawser.port, get("/", "Connection: close\r\n"))).status);
    assert.deepEqual(statuses.sort(), [200, 502]);
  });

  test("proxy_next_upstream http_503 tries the next", async (t) => {
    const { hawser } = await pair(t, answering(() => "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"), "proxy_next_upstream error http_503;");
    for (let i = 0; i < 3; i++) assert.equal((await ask(t, hawser.port, get("/", "Connection: close\r\n"))).body, "good ");
  });

  test("nobody left is 502, and it heals", async (t) => {
    const backend = await startRawBackend(t, answering(() => ok("x")));
    const hawser = await startOneliner(t, [`http://127.0.0.1:${backend.port}`]);
    assert.equal((await ask(t, hawser.port, get())).status, 200);
    await backend.close();
    assert.equal((await ask(t, hawser.port, get())).status, 502);
    const server = http.createServer((request, response) => response.end("again"));
    await new Promise((resolve) => server.listen(backend.port, "127.0.0.1", resolve));
    t.after(() => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))));
    await until(async () => (await ask(t, hawser.port, get("/", "Connection: close\r\n"))).body === "again", "the server's return", 2000);
  });

  test("localhost means all its addresses: one that refuses costs nothing", async (t) => {
    const backend = await startRawBackend(t, answering(() => ok("x")));
    const hawser = await startConfig(t, ({ port }) => `http { server { listen 127.0.0.1:${port}; location / { proxy_pass http://localhost:${backend.port}; } } }`);
    for (let i = 0; i < 6; i++) assert.equal((await ask(t, hawser.port, get("/", "Connection: close\r\n"))).status, 200);
  });
});

describe("balancing", () => {
  test("is weighted round robin", async (t) => {
    const backends = await Promise.all([0, 1, 2].map(() => startRawBackend(t, answering(() => ok("x")))));
    const hawser = await startConfig(t, ({ port }) => `http { upstream nodes {
      server 127.0.0.1:${backends[0].port} weight=5; server 127.0.0.1:${backends[1].port}; server 127.0.0.1:${backends[2].port}; }
      server { listen 127.0.0.1:${port}; location / { proxy_pass http://nodes; } } }`);
    await inBatches(70, 1, () => ask(t, hawser.port, get("/", "Connection: close\r\n")));
    assert.deepEqual(backends.map((backend) => (backend.text.match(/GET /g) || []).length), [50, 10, 10]);
  });

  test("least_conn sends new ones where fewest are held", async (t) => {
    const holding = async (wire) => void (await wire.takeRequest());
    const backends = await Promise.all([0, 1].map(() => startRawBackend(t, holding)));
    const hawser = await startConfig(t, ({ port }) => proxied(port, backends, "", "least_conn;"));
    const counts = () => backends.map((backend) => backend.wires.filter((wire) => wire.all && !wire.isOver).length);
    const wires = [];
    for (let i = 0; i < 8; i++) {
      wires.push(await connect(t, hawser.port));
      wires[i].write(get(`/${i}`));
      await until(() => counts()[0] + counts()[1] === i + 1, "the request to arrive");
    }
    assert.deepEqual(counts(), [4, 4]);
    const first = backends[0].wires.map((wire) => /\/(\d)/.exec(wire.all)?.[1]).filter(Boolean).map(Number);
    first.slice(0, 3).forEach((i) => wires[i].destroy());
    await until(() => counts()[0] === 1, "three to be gone");
    for (let i = 0; i < 3; i++) {
      const wire = await connect(t, hawser.port);
      wire.write(get("/later"));
      await until(() => counts()[0] === 2 + i, () => `the later ones on the first, have ${counts()}`);
    }
    assert.deepEqual(counts(), [4, 4]);
  });
});
