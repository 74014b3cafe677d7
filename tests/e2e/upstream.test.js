"use strict";
// Which server is asked, which next, and what is remembered of it: nginx's rules of upstreams.

const assert = require("node:assert");
const crypto = require("node:crypto");
const dgram = require("node:dgram");
const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { after, describe, test } = require("node:test");
const { Crew, freePort, until } = require("./lib/base.js");
const { startConfig } = require("./lib/hawser.js");
const { ask } = require("./lib/wire.js");

/* A server that answers by serve(request, response), or with its own number. */
async function startServer(crew, serve, host = "127.0.0.1", port = 0) {
  const server = http.createServer(serve ?? ((_, response) => response.end(String(server.address().port))));
  await new Promise((resolve) => server.listen(port, host, resolve));
  crew.after(() => new Promise((resolve) => server.closeAllConnections() ?? server.close(resolve)));
  return server.address().port;
}

const get = (crew, proxy, target, headers = "") => ask(crew, proxy.port, `GET ${target} HTTP/1.1\r\nHost: h\r\n${headers}\r\n`);
const head = (inside) => `events {} http { ${inside} }`;

const RECORD = "$upstream_addr|$upstream_status|$upstream_connect_time|$upstream_header_time|$upstream_response_time|$upstream_response_length|$upstream_queue_time";

describe("tries", () => {
  const crew = new Crew();
  after(() => crew.end());

  test("each is remembered, in order, and an internal redirection is seen between them", async () => {
    const dead = await freePort(), shut = await freePort();
    const sick = await startServer(crew, (_, response) => response.writeHead(503).end("sick"));
    const well = await startServer(crew);
    const proxy = await startConfig(crew, ({ port }) =>
      head(`log_format record '$uri ${RECORD}';
        upstream u { server 127.0.0.1:${dead} max_fails=0; server 127.0.0.1:${sick} max_fails=0; }
        upstream v { server 127.0.0.1:${dead} max_fails=0; server 127.0.0.1:${shut} max_fails=0; }
        upstream gone { server 127.0.0.1:1 down; }
        server { listen 127.0.0.1:${port}; access_log record.log record; proxy_next_upstream error http_503;
          location /well { proxy_pass http://127.0.0.1:${well}; }
          location /u { proxy_pass http://v; error_page 502 = /well; }
          location /plain { proxy_pass http://u; }
          location /gone { proxy_pass http://gone; } }`),
    );
    assert.equal((await get(crew, proxy, "/u")).body, String(well));
    assert.equal((await get(crew, proxy, "/plain")).status, 503);
    assert.equal((await get(crew, proxy, "/gone")).status, 502);
    const lines = await until(() => {
      const file = path.join(proxy.folder, "record.log");
      const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim().split("\n") : [];
      return text.length === 3 && text;
    }, "three lines in the access log");
    const [u, plain, gone] = lines.map((line) => line.split(/[ ](.*)/)[1].split("|"));
    assert.equal(u[0], `127.0.0.1:${dead}, 127.0.0.1:${shut} : 127.0.0.1:${well}`);
    assert.equal(u[1], "502, 502 : 200");
    assert.match(u[2], /^-, - : \d\.\d{3}$/);
    assert.match(u[3], /^-, - : \d\.\d{3}$/);
    assert.match(u[4], /^\d\.\d{3}, \d\.\d{3} : \d\.\d{3}$/);
    assert.match(plain[0], new RegExp(`^127.0.0.1:${sick}(, 127.0.0.1:${dead})?$|^127.0.0.1:${dead}, 127.0.0.1:${sick}$`));
    assert.deepEqual(gone.slice(0, 4), ["gone", "502", "-", "-"]);
    assert.match(proxy.log + fs.readFileSync(proxy.file, "utf8"), /no live upstreams/);
  });

  test("proxy_next_upstream_tries bounds them, and POST is not sent twice", async () => {
    let asked = 0;
    const serve = (_, response) => ++asked && response.writeHead(500).end();
    const ports = [await startServer(crew, serve), await startServer(crew, serve), await startServer(crew, serve)];
    const proxy = await startConfig(crew, ({ port }) =>
      head(`upstream u { ${ports.map((one) => `server 127.0.0.1:${one} max_fails=0;`).join(" ")} }
        server { listen 127.0.0.1:${port}; proxy_next_upstream http_500;
          location / { proxy_pass http://u; }
          location /two { proxy_pass http://u; proxy_next_upstream_tries 2; } }`),
    );
    await get(crew, proxy, "/");
    assert.equal(asked, 3);
    asked = 0;
    await get(crew, proxy, "/two");
    assert.equal(asked, 2);
    asked = 0;
    await ask(crew, proxy.port, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    assert.equal(asked, 1);
  });
});

describe("balancing", () => {
  const crew = new Crew();
  after(() => crew.end());

  test("random, and the better of two, reach all; one that drains is reached by none", async () => {
    const ports = [await startServer(crew), await startServer(crew), await startServer(crew)];
    const lines = ports.map((one, i) => `server 127.0.0.1:${one}${i === 2 ? " drain" : ""};`).join(" ");
    const proxy = await startConfig(crew, ({ port }) =>
      head(`upstream one { random; ${lines} } upstream two { random two; ${lines} }
        server { listen 127.0.0.1:${port}; location /one { proxy_pass http://one; } location /two { proxy_pass http://two; } }`),
    );
    for (const name of ["one", "two"]) {
      const seen = new Set();
      for (let i = 0; i < 60; i++) seen.add((await get(crew, proxy, `/${name}`)).body);
      assert.deepEqual([...seen].sort(), ports.slice(0, 2).map(String).sort());
    }
  });

  test("queue: who finds all full waits for the first that is free, for a time", async () => {
    const held = [];
    const backend = await startServer(crew, (_, response) => held.push(response));
    const proxy = await startConfig(crew, ({ port }) =>
      head(`log_format record '$status $upstream_queue_time';
        upstream u { server 127.0.0.1:${backend} max_conns=1; server 127.0.0.1:1 down; queue 1 timeout=60s; }
        upstream brief { server 127.0.0.1:${backend} max_conns=1; server 127.0.0.1:1 down; queue 1 timeout=100ms; }
        server { listen 127.0.0.1:${port}; access_log record.log record; location / { proxy_pass http://u; } location /brief { proxy_pass http://brief; } }`),
    );
    const first = get(crew, proxy, "/");
    await until(() => held.length === 1, "the first to be asked");
    const second = get(crew, proxy, "/");
    await until(async () => (await get(crew, proxy, "/")).status === 502, "the third to be refused: the queue is full");
    held[0].end("first");
    assert.equal((await first).body, "first");
    await until(() => held.length === 2, "the second to be asked");
    held[1].end("second");
    assert.equal((await second).body, "second");
    const holder = get(crew, proxy, "/brief");
    await until(() => held.length === 3, "the holder to be asked");
    assert.equal((await get(crew, proxy, "/brief")).status, 502);
    held[2].end("done");
    assert.equal((await holder).body, "done");
    const text = await until(() => {
      const all = fs.readFileSync(path.join(proxy.folder, "record.log"), "utf8");
      return all.split("\n").length > 5 && all;
    }, "the access log");
    assert.match(text, /^200 -$/m);
    assert.match(text, /^200 \d\.\d{3}$/m);
    assert.match(text, /^502 0\.[1-9]\d\d$/m);
  });
});

describe("sticky", () => {
  const crew = new Crew();
  after(() => crew.end());

  test("cookie: the answer binds by digest or route, with what was said of the cookie", async () => {
    const ports = [await startServer(crew), await startServer(crew)];
    const proxy = await startConfig(crew, ({ port }) =>
      head(`upstream u { server 127.0.0.1:${ports[0]}; server 127.0.0.1:${ports[1]} route=b; sticky cookie srv expires=1h domain=.example.com httponly secure samesite=lax path=/; }
        upstream max { server 127.0.0.1:${ports[0]}; sticky cookie srv expires=max; }
        server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; } location /max { proxy_pass http://max; } }`),
    );
    const digest = crypto.createHash("md5").update(`127.0.0.1:${ports[0]}`).digest("hex");
    const ids = new Map([[String(ports[0]), digest], [String(ports[1]), "b"]]);
    for (let i = 0; i < 4; i++) {
      const answer = await get(crew, proxy, "/");
      const rest = /^srv=(\w+); expires=\w{3}, \d\d-\w{3}-\d\d \d\d:\d\d:\d\d GMT; max-age=3600; domain=.example.com; httponly; secure; samesite=lax; path=\/$/;
      assert.equal(rest.exec(answer.get("set-cookie"))?.[1], ids.get(answer.body), answer.get("set-cookie"));
    }
    for (const [body, id] of ids) for (let i = 0; i < 3; i++) assert.equal((await get(crew, proxy, "/", `Cookie: a=b; srv=${id}\r\n`)).body, body);
    assert.equal((await get(crew, proxy, "/", "Cookie: srv=unknown\r\n")).status, 200);
    assert.equal((await get(crew, proxy, "/max")).get("set-cookie"), `srv=${digest}; expires=Thu, 31-Dec-37 23:55:55 GMT; max-age=315360000`);
  });

  test("cookie: who is bound to a dead server is bound anew", async () => {
    const dead = await freePort(), alive = await startServer(crew);
    const proxy = await startConfig(crew, ({ port }) =>
      head(`upstream u { server 127.0.0.1:${dead} route=dead; server 127.0.0.1:${alive} route=alive drain; server 127.0.0.1:${alive} route=other; sticky cookie srv; }
        server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; } }`),
    );
    const answer = await get(crew, proxy, "/", "Cookie: srv=dead\r\n");
    assert.equal(answer.body, String(alive));
    assert.equal(answer.get("set-cookie"), "srv=other");
    assert.equal((await get(crew, proxy, "/", "Cookie: srv=alive\r\n")).get("set-cookie"), "srv=alive");
  });

  test("route: the first variable that is not empty", async () => {
    const ports = [await startServer(crew), await startServer(crew)];
    const proxy = await startConfig(crew, ({ port }) =>
      head(`upstream u { server 127.0.0.1:${ports[0]} route=a; server 127.0.0.1:${ports[1]} route=b; sticky route $cookie_r $arg_r; }
        server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; } }`),
    );
    for (let i = 0; i < 3; i++) {
      assert.equal((await get(crew, proxy, "/?r=b")).body, String(ports[1]));
      assert.equal((await get(crew, proxy, "/?r=b", "Cookie: r=a\r\n")).body, String(ports[0]));
    }
  });

  test("learn: a session stays where the answer began it", async () => {
    const serve = (request, response) => {
      if (request.url.startsWith("/login")) response.setHeader("Set-Cookie", `sid=${new URL(request.url, "http://h").searchParams.get("name")}; path=/`);
      response.end(String(request.socket.localPort));
    };
    const ports = [await startServer(crew, serve), await startServer(crew, serve), await startServer(crew, serve)];
    const lines = ports.map((one) => `server 127.0.0.1:${one};`).join(" ");
    for (const early of ["", " header"]) {
      const proxy = await startConfig(crew, ({ port }) =>
        head(`upstream u { ${lines} sticky learn create=$upstream_cookie_sid lookup=$cookie_sid zone=s:1m timeout=1h${early}; }
          server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; } }`),
      );
      const homes = new Map();
      for (let i = 0; i < 5; i++) homes.set(`n${i}`, (await get(crew, proxy, `/login?name=n${i}`)).body);
      assert.ok(new Set(homes.values()).size > 1);
      for (let i = 0; i < 3; i++) for (const [name, home] of homes) assert.equal((await get(crew, proxy, "/", `Cookie: sid=${name}\r\n`)).body, home);
    }
  });

  test("learn: a zone keeps what its size holds, over reloads too, and the least recently used go", async () => {
    const serve = (request, response) => {
      if (request.url.startsWith("/login")) response.setHeader("Set-Cookie", `sid=${new URL(request.url, "http://h").searchParams.get("name")}; path=/`);
      response.end(String(request.socket.localPort));
    };
    const ports = [await startServer(crew, serve), await startServer(crew, serve), await startServer(crew, serve)];
    const lines = ports.map((one) => `server 127.0.0.1:${one};`).join(" ");
    const config = (port, upstream, size) =>
      `error_log stderr info; ` +
      head(`upstream ${upstream} { ${lines} sticky learn create=$upstream_cookie_sid lookup=$cookie_sid zone=s:${size}; }
        server { listen 127.0.0.1:${port}; location / { proxy_pass http://${upstream}; } location /which { return 200 ${upstream}${size}; } }`);
    const proxy = await startConfig(crew, ({ port }) => config(port, "u", "32k"));
    const homes = [];
    const login = async (i) => (homes[i] = (await get(crew, proxy, `/login?name=n${i}`)).body);
    const seen = async (i) => {
      const all = new Set();
      for (let round = 0; round < 3; round++) all.add((await get(crew, proxy, "/", `Cookie: sid=n${i}\r\n`)).body);
      return [...all];
    };
    for (let i = 0; i < 80; i++) await login(i);
    assert.deepEqual(await seen(0), [homes[0]]);
    assert.doesNotMatch(proxy.log, /sticky session zone/);
    await login(80);
    await until(() => /\[warn\].*could not allocate node in sticky session zone "s", expiring least recently used session/.test(proxy.log), "the warning");
    assert.deepEqual(await seen(0), [homes[0]]);
    assert.equal((await seen(1)).length, 3);
    assert.deepEqual(await seen(80), [homes[80]]);
    const reload = async (upstream, size) => {
      proxy.reload(config(proxy.port, upstream, size));
      await until(async () => (await get(crew, proxy, "/which")).body === upstream + size, "the reload");
    };
    proxy.reload(config(proxy.port, "v", "32k"));
    await until(() => proxy.log.includes('sticky zone "s" is used in upstream "v" while previously it was used in upstream "u"'), "the refusal");
    proxy.reload(config(proxy.port, "u", "32k") + "# again");
    await until(() => /reconfigured|reload/.test(proxy.log), "the reload");
    for (const i of [0, 2, 50, 80]) assert.deepEqual(await seen(i), [homes[i]]);
    await reload("u", "64k");
    assert.equal((await seen(2)).length, 3);
  });
});

describe("names", () => {
  const crew = new Crew();
  after(() => crew.end());

  /* A name server: names to lists of IPv4 addresses, or of [priority, weight, port, name]. */
  async function startNames(names) {
    const socket = dgram.createSocket("udp4");
    const server = { names, asked: 0 };
    socket.on("message", (query, from) => {
      let at = 12;
      const labels = [];
      for (; query[at]; at += query[at] + 1) labels.push(query.toString("latin1", at + 1, at + 1 + query[at]));
      const type = query.readUInt16BE(at + 1), known = server.names[labels.join(".").toLowerCase()];
      const found = known === "fails" ? undefined : known;
      const records = (found ?? []).filter((one) => Array.isArray(one) === (type === 33) && (type === 1 || type === 33));
      server.asked++;
      const head = Buffer.from(query.subarray(0, at + 5));
      head.writeUInt16BE(found ? 0x8180 : known ? 0x8182 : 0x8183, 2);
      head.writeUInt16BE(records.length, 6);
      head.writeUInt32BE(0, 8);
      const answers = records.map((one) => {
        if (!Array.isArray(one)) return Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...one.split(".").map(Number)]);
        const name = Buffer.concat([...one[3].split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)])), Buffer.from([0])]);
        const numbers = Buffer.from(one.slice(0, 3).flatMap((number) => [number >> 8, number & 255]));
        return Buffer.concat([Buffer.from([0xc0, 12, 0, 33, 0, 1, 0, 0, 0, 1, 0, 6 + name.length]), numbers, name]);
      });
      socket.send(Buffer.concat([head, ...answers]), from.port, from.address);
    });
    await new Promise((resolve) => socket.bind(0, "127.0.0.1", resolve));
    crew.after(() => new Promise((resolve) => socket.close(resolve)));
    return Object.assign(server, { port: socket.address().port });
  }

  test("proxy_pass to a name from the request: no failure is remembered, and a name server that fails is not the last", async () => {
    const [first, second] = [await startNames({ "two.test": ["127.0.0.1", "127.0.0.2"], "app.test": "fails" }), await startNames({ "app.test": ["127.0.0.1"] })];
    const port = await startServer(crew, (request, response) => response.end("here"));
    const proxy = await startConfig(crew, ({ port: own }) =>
      head(`server { listen 127.0.0.1:${own}; resolver_timeout 1s; add_header X-Asked $upstream_addr always;
        location / { resolver 127.0.0.1:${first.port} ipv6=off; proxy_pass http://$arg_name:1; }
        location /both { resolver 127.0.0.1:${first.port} 127.0.0.1:${second.port} ipv6=off; proxy_pass http://$arg_name:${port}; } }`),
    );
    for (let i = 0; i < 3; i++) {
      const answer = await get(crew, proxy, "/?name=two.test");
      assert.equal(answer.status, 502);
      assert.equal(answer.get("X-Asked").split(", ").sort().join(" "), "127.0.0.1:1 127.0.0.2:1");
    }
    assert.equal((await get(crew, proxy, "/?name=app.test")).status, 502);
    assert.equal((await get(crew, proxy, "/both?name=app.test")).body, "here");
  });

  test("server NAME resolve: members come and go while serving", async () => {
    const port = await startServer(crew, (request, response) => response.end(request.socket.localAddress), "127.0.0.1");
    await startServer(crew, (request, response) => response.end(request.socket.localAddress), "127.0.0.9", port);
    const names = await startNames({ "app.test": ["127.0.0.1"] });
    const proxy = await startConfig(crew, ({ port: own }) =>
      head(`resolver 127.0.0.1:${names.port} ipv6=off; resolver_timeout 1s;
        upstream u { zone u 64k; server app.test:${port} resolve; }
        server { listen 127.0.0.1:${own}; location / { proxy_pass http://u; } }`),
    );
    const seen = async () => {
      const all = new Set();
      for (let i = 0; i < 4; i++) {
        const answer = await get(crew, proxy, "/");
        all.add(answer.status === 200 ? answer.body : answer.status);
      }
      return [...all].sort().join(" ");
    };
    await until(async () => (await seen()) === "127.0.0.1", "the first address");
    names.names["app.test"] = ["127.0.0.1", "127.0.0.9"];
    await until(async () => (await seen()) === "127.0.0.1 127.0.0.9", "both addresses");
    names.names["app.test"] = ["127.0.0.9"];
    await until(async () => (await seen()) === "127.0.0.9", "the second address alone");
    proxy.reload();
    await until(() => /reloaded|reconfigur/.test(proxy.log) || names.asked > 6, "the reload");
    assert.equal(await seen(), "127.0.0.9");
    delete names.names["app.test"];
    await until(async () => (await seen()) === "502", "nobody to be left");
    assert.match(proxy.log, /app\.test could not be resolved \(3: Host not found\)/);
  });

  test("service=: ports, weights and backups come from SRV records", async () => {
    const ports = [await startServer(crew), await startServer(crew), await startServer(crew)];
    const names = await startNames({ "_http._tcp.app.test": [[1, 3, ports[0], "a.test"], [1, 1, ports[1], "b.test"], [2, 1, ports[2], "a.test"]], "a.test": ["127.0.0.1"], "b.test": ["127.0.0.1"] });
    const proxy = await startConfig(crew, ({ port }) =>
      head(`resolver 127.0.0.1:${names.port} ipv6=off; resolver_timeout 1s;
        upstream u { zone u 64k; server app.test service=http resolve; }
        server { listen 127.0.0.1:${port}; location / { proxy_pass http://u; } }`),
    );
    const seen = async () => {
      const counts = [0, 0, 0];
      for (let i = 0; i < 8; i++) counts[ports.indexOf(Number((await get(crew, proxy, "/")).body))]++;
      return counts.join(" ");
    };
    await until(async () => (await seen()) === "6 2 0", "the servers of the first priority, by their weights");
    names.names["_http._tcp.app.test"] = [[5, 1, ports[2], "a.test"]];
    await until(async () => (await seen()) === "0 0 8", "the only server that is left");
    delete names.names["_http._tcp.app.test"];
    await until(async () => (await get(crew, proxy, "/")).status === 502, "nobody to be left");
    assert.match(proxy.log, /_http\._tcp\.app\.test could not be resolved \(3: Host not found\)/);
  });
});
