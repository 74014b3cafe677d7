"use strict";
// Where proxy_pass leads when variables say it, and where a server's answer leads: X-Accel-Redirect, error_page.

const assert = require("node:assert");
const { execFileSync, spawn, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const { describe, test } = require("node:test");
const { HAWSER, freePort, tempFolder, until } = require("./lib/base.js");
const { isNginx, startConfig } = require("./lib/hawser.js");
const { ask, connect, startRawBackend } = require("./lib/wire.js");

const get = (target = "/", more = "") => `GET ${target} HTTP/1.1\r\nHost: h\r\n${more}\r\n`;
const ok = (body = "ok", more = "") => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${more}\r\n${body}`;

async function start(t, configure, answer = (request) => ok(`${request.target} ${request.get("host")}`)) {
  const seen = [];
  const backend = await startRawBackend(t, async (wire) => {
    for (;;) {
      const request = await wire.takeRequest(60000);
      seen.push(request);
      wire.write(answer(request));
    }
  });
  const hawser = await startConfig(t, (where) => `http { proxy_http_version 1.1; upstream nodes { server 127.0.0.1:${backend.port}; }
    server { listen 127.0.0.1:${where.port}; root ${where.folder}; ${configure(backend.port)} } }`);
  return { backend, hawser, seen };
}

describe("proxy_pass with variables", () => {
  test("to an address, an upstream, with a URI of its own and without", async (t) => {
    const { hawser, backend } = await start(t, (port) => `
      location /address { proxy_pass http://127.0.0.1:$arg_port; }
      location /upstream { proxy_pass http://$arg_name; }
      location /uri { proxy_pass http://$arg_name/other?x=$arg_x; }
      location /query { proxy_pass http://$arg_name?y; }
      location ~ ^/regex/(.*)$ { proxy_pass http://nodes/$1$is_args$args; }
      location /whole { proxy_pass $arg_url; }`);
    const { port } = backend;
    for (const [target, body] of [
      [`/address?port=${port}`, `/address?port=${port} 127.0.0.1:${port}`],
      ["/upstream?name=nodes", "/upstream?name=nodes nodes"],
      ["/uri?name=nodes&x=1", "/other?x=1 nodes"],
      ["/query?name=nodes", "/?y nodes"],
      ["/regex/a/b?c=d", "/a/b?c=d nodes"],
      [`/whole?url=http://nodes`, "/whole?url=http://nodes nodes"],
    ])
      assert.equal((await ask(t, hawser.port, get(target))).body, body, target);
    assert.equal((await ask(t, hawser.port, get("/whole?url=ftp://x"))).status, 500);
    assert.equal((await ask(t, hawser.port, get("/upstream?name=nowhere.invalid"))).status, 502);
    await until(() => /no resolver defined to resolve nowhere.invalid/.test(hawser.log), "the log to tell");
  });

  test("keeps a body that is read first", async (t) => {
    const { hawser, seen } = await start(t, () => "location / { proxy_pass http://$http_host$request_uri; }");
    const wire = await connect(t, hawser.port);
    wire.write("POST /a HTTP/1.1\r\nHost: nodes\r\nContent-Length: 5\r\n\r\nhe");
    await new Promise((resolve) => setTimeout(resolve, 50));
    wire.write("llo");
    assert.equal((await wire.takeResponse("POST")).status, 200);
    assert.equal(seen[0].body, "hello");
  });
});

describe("X-Accel-Redirect", () => {
  const answers = (request) =>
    request.target.startsWith("/app") ? ok("never seen", `X-Accel-Redirect: ${decodeURIComponent(request.target.slice(4)).replace("/@", "@")}\r\nContent-Type: text/x-own\r\nSet-Cookie: a=b\r\nX-Gone: 1\r\n`) : ok(`second ${request.target}`);
  const configure = () => `location / { proxy_pass http://nodes; } location /files/ { internal; } location @named { return 200 "named $uri"; }
    location /ignored/ { proxy_ignore_headers X-Accel-Redirect; proxy_pass http://nodes/app; }`;

  test("leads to a file, a path and a named location", async (t) => {
    const { hawser } = await start(t, configure, answers);
    fs.mkdirSync(`${hawser.folder}/files`);
    fs.writeFileSync(`${hawser.folder}/files/a b.txt`, "the file");
    const file = await ask(t, hawser.port, get("/app/files/a%2520b.txt"));
    assert.equal(file.body, "the file");
    assert.equal(file.get("content-type"), "text/x-own");
    assert.equal(file.get("set-cookie"), "a=b");
    assert.equal(file.get("x-gone"), undefined);
    assert.equal(file.get("x-accel-redirect"), undefined);
    assert.equal((await ask(t, hawser.port, get("/app/other%3Fx=1"))).body, "second /other?x=1");
    assert.equal((await ask(t, hawser.port, get("/app/@named"))).body, "named /app/@named");
    assert.equal((await ask(t, hawser.port, get("/files/a%20b.txt"))).status, 404, "internal");
  });

  test("is passed over when it is ignored", async (t) => {
    const { hawser } = await start(t, configure, answers);
    assert.equal((await ask(t, hawser.port, get("/ignored//x"))).body, "never seen");
  });
});

describe("proxy_intercept_errors", () => {
  test("puts error_page in a server's place", async (t) => {
    const { hawser } = await start(
      t,
      () => `error_page 404 /page; error_page 401 /page; location = /page { return 200 "the page"; }
        location / { proxy_intercept_errors on; proxy_pass http://nodes; } location /off/ { proxy_pass http://nodes; }`,
      (request) => `HTTP/1.1 ${request.target.slice(-3)} No\r\nWWW-Authenticate: Basic\r\nContent-Length: 4\r\n\r\ntheir`.slice(0, -1),
    );
    const page = await ask(t, hawser.port, get("/404"));
    assert.equal(page.body, "the page");
    assert.equal((await ask(t, hawser.port, get("/off/404"))).body, "thei");
    assert.equal((await ask(t, hawser.port, get("/403"))).body, "thei");
    assert.equal((await ask(t, hawser.port, get("/401"))).get("www-authenticate"), "Basic");
  });
});

describe("proxy_bind", () => {
  /* Whoever runs this may make networks and rules. */
  const hasNetworks = process.getuid() === 0 && spawnSync("unshare", ["-n", "ip", "rule", "add", "to", "198.51.100.0/24", "lookup", "100"]).status === 0;

  test("says where connections come from", async (t) => {
    const from = [];
    const backend = await startRawBackend(t, async (wire) => {
      from.push(wire.socket.remoteAddress);
      await wire.takeRequest();
      wire.write(ok());
    });
    const hawser = await startConfig(t, ({ port }) => `http { server { listen 127.0.0.1:${port}; proxy_bind 127.0.0.7; location / { proxy_pass http://127.0.0.1:${backend.port}; }
      location /var { proxy_bind $arg_from; proxy_pass http://127.0.0.1:${backend.port}; } location /off { proxy_bind off; proxy_pass http://127.0.0.1:${backend.port}; } } }`);
    for (const target of ["/", "/var?from=127.0.0.9", "/off"]) assert.equal((await ask(t, hawser.port, get(target))).status, 200);
    assert.deepEqual(from, ["127.0.0.7", "127.0.0.9", "127.0.0.1"]);
  });

  test("transparent: from addresses that are not this machine's, after becoming nobody", { skip: isNginx || !hasNetworks }, () => {
    const told = execFileSync("unshare", ["-n", process.execPath, path.join(__dirname, "lib/transparent.js")], { timeout: 60000 });
    assert.deepEqual(JSON.parse(told), { from: ["198.51.100.7", "198.51.100.9"], statuses: [200, 503] });
  });

  test("transparent without the right to it is said when loaded, and when it fails", { skip: isNginx || !hasNetworks }, async (t) => {
    const port = await freePort(), backend = await startRawBackend(t, () => {});
    const folder = tempFolder(t), file = path.join(folder, "hawser.conf");
    fs.writeFileSync(file, `http { server { listen 127.0.0.1:${port}; proxy_bind $remote_addr transparent; location / { proxy_pass http://127.0.0.1:${backend.port}; } } }`);
    const child = spawn("setpriv", ["--bounding-set", "-net_raw,-net_admin", "--inh-caps", "-net_raw,-net_admin", HAWSER, "-p", folder, "-c", file], { stdio: ["ignore", "ignore", "pipe"] });
    t.after(() => child.kill("SIGKILL"));
    let log = "";
    child.stderr.on("data", (text) => (log += text));
    const isOpen = () =>
      new Promise((resolve) => {
        const socket = net.connect(port, "127.0.0.1", () => resolve(!!socket.destroy()));
        socket.once("error", () => resolve(false));
      });
    await until(isOpen, "hawser");
    assert.match(log, /"transparent" takes the capability CAP_NET_RAW/);
    assert.equal((await ask(t, port, get("/"))).status, 500);
    await until(() => /\[crit\].* setsockopt\(IP_TRANSPARENT\) failed \(1: Operation not permitted\) while connecting to upstream/.test(log), "the log's line");
  });
});

describe("an answer that is broken off", () => {
  test("is reset for who reads until the end", { skip: isNginx }, async (t) => {
    const backend = await startRawBackend(t, async (wire) => {
      await wire.takeRequest();
      wire.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
      await until(() => wire.mayEnd, "the client to have it");
      wire.end();
    });
    const hawser = await startConfig(t, ({ port }) => `http { server { listen 127.0.0.1:${port}; location / { proxy_pass http://127.0.0.1:${backend.port}; } } }`);
    const wire = await connect(t, hawser.port);
    wire.write("GET / HTTP/1.0\r\nHost: h\r\n\r\n");
    await wire.takeTo("half");
    backend.wires.at(-1).mayEnd = true;
    await until(() => wire.isClosed, "the end");
    assert.equal(wire.error?.code, "ECONNRESET");
  });
});
