"use strict";
// Who is asked for a password: auth_basic, and satisfy.

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { describe, test } = require("node:test");
const { until } = require("./lib/base.js");
const { startConfig } = require("./lib/hawser.js");
const { ask, connect, startRawBackend } = require("./lib/wire.js");

const basic = (user, password) => `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
const get = (target, ...lines) => `GET ${target} HTTP/1.0\r\nHost: h\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
const fetched = (t, hawser, target, ...lines) => ask(t, hawser.port, get(target, ...lines));

const htpasswd = `# users
crypt:sa3tHJ3/KuYvI
crypt1:$1$salt$qJH7.N4xYta3aEG/dfqo/0:comment
crypt2:$1$
sha512:$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/
bcrypt:$2y$04$abcdefghijklmnopqrstuughE8Ev8uGFaUgY2cNEySvxngrb/Jzdm\r
apr1:$apr1$salt$Xxd1irWT9ycqoYxGFn4cb.
apr12:$apr1$
plain:{PLAIN}password
ssha:{SSHA}yI6cZwQadOA1e+/f+T+H3eCQQhRzYWx0
ssha2:{SSHA}_____wQadOA1e+/f+T+H3eCQQhRzYWx0
ssha3:{SSHA}Zm9vCg==
sha:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=
sha2:{SHA}_____Mm5Pz8GgiULbPgzG37mj9g=
last:{PLAIN}password`;

const config = ({ port, folder }) => `error_log stderr info; http { add_header X-User "[$remote_user]" always; server { listen 127.0.0.1:${port}; root ${folder};
  auth_basic "closed site"; auth_basic_user_file htpasswd;
  location / { }
  location /inner { auth_basic off; }
  location /var { auth_basic_user_file $arg_f; }
  location /realm { auth_basic "for $host"; }
  location /any { satisfy any; set_real_ip_from 127.0.0.1; allow 192.0.2.1; deny all; }
  location /all { set_real_ip_from 127.0.0.1; allow 192.0.2.1; deny all; }
  location /page { error_page 401 /inner; }
  location /large { auth_basic_user_file large; } } }`;
const files = { htpasswd, inner: "inside", var: "x", realm: "x", any: "x", all: "x", "index.html": "x", page: "x", large: "" };

describe("auth_basic", () => {
  test("asks for a password and takes the right one", async (t) => {
    const hawser = await startConfig(t, config, { files });
    const refused = await fetched(t, hawser, "/");
    assert.equal(refused.status, 401);
    assert.equal(refused.get("www-authenticate"), 'Basic realm="closed site"');
    assert.match(refused.body, /401 Authorization Required/);
    assert.equal((await fetched(t, hawser, "/realm")).get("www-authenticate"), 'Basic realm="for h"');
    for (const user of ["crypt", "crypt1", "sha512", "bcrypt", "apr1", "plain", "ssha", "sha", "last"])
      for (let i = 0; i < 2; i++) {
        const answer = await fetched(t, hawser, "/", basic(user, "password"));
        assert.equal(answer.status, 200, user);
        assert.equal(answer.get("x-user"), `[${user}]`);
        assert.equal((await fetched(t, hawser, "/", basic(user, "passwort"))).status, 401, user);
      }
    for (const user of ["crypt2", "apr12", "ssha2", "ssha3", "sha2", "nobody", "# users", "", "comment"])
      assert.equal((await fetched(t, hawser, "/", basic(user, "1"))).status, 401, user);
    for (const field of ["Basic", "Basic !", "Bearer x", "Basic cGxhaW4="])
      assert.equal((await fetched(t, hawser, "/", `Authorization: ${field}`)).status, 401, field);
    await until(() => /user "apr1": password mismatch, client: /.test(hawser.log), "the log's line");
    await until(() => /user "nobody" was not found in "\/.*\/htpasswd", client: /.test(hawser.log), "the log's line");
    await until(() => /no user\/password was provided for basic authentication/.test(hawser.log), "the log's line");
  });

  test("is off where that is said, and files may be named by variables", async (t) => {
    const hawser = await startConfig(t, config, { files });
    const who = basic("plain", "password");
    assert.equal((await fetched(t, hawser, "/inner")).status, 200);
    assert.equal((await fetched(t, hawser, "/var?f=htpasswd", who)).status, 200);
    assert.equal((await fetched(t, hawser, "/var?f=nx", who)).status, 403);
    assert.equal((await fetched(t, hawser, "/var", who)).status, 500);
    await until(() => /\[error\].* open\(\) "\/.*\/nx" failed \(2: No such file or directory\)/.test(hawser.log), "the log's line");
    const page = await fetched(t, hawser, "/page");
    assert.deepEqual([page.status, page.body, page.get("www-authenticate")], [401, "inside", 'Basic realm="closed site"']);
  });

  test("sees a change of the file at once, however long it is", async (t) => {
    const hawser = await startConfig(t, config, { files });
    const who = basic("late", "password");
    assert.equal((await fetched(t, hawser, "/large", who)).status, 401);
    const many = Array.from({ length: 20000 }, (_, i) => `user${i}:{PLAIN}x\n`).join("");
    fs.writeFileSync(path.join(hawser.folder, "large"), `${many}${"y".repeat(70000)}\nlate:{PLAIN}password`);
    assert.equal((await fetched(t, hawser, "/large", who)).status, 200);
    assert.equal((await fetched(t, hawser, "/large", basic("user12345", "x"))).status, 200);
    fs.writeFileSync(path.join(hawser.folder, "large"), "late:{PLAIN}other");
    assert.equal((await fetched(t, hawser, "/large", who)).status, 401);
  });

  test("keeps nobody waiting who has nothing to do with it", async (t) => {
    const slow = "$2y$13$abcdefghijklmnopqrstuuQBUk0tdLMullE7V2jUbfpLLoO3pD7Ze"; // half a second of work
    const hawser = await startConfig(t, ({ port, folder }) => `worker_processes 1; http { server { listen 127.0.0.1:${port}; root ${folder};
      location /inner { } location / { auth_basic x; auth_basic_user_file htpasswd; } } }`, { files: { htpasswd: `slow:${slow}`, inner: "x", "index.html": "x" } });
    const asked = [1, 2].map(() => fetched(t, hawser, "/", basic("slow", "password")));
    const wrong = fetched(t, hawser, "/", basic("slow", "x"));
    const gone = await connect(t, hawser.port);
    gone.write(get("/", basic("slow", "y")));
    let over = false;
    Promise.all([...asked, wrong]).then(() => (over = true));
    let served = 0;
    let worst = 0;
    while (!over) {
      const before = Date.now();
      assert.equal((await fetched(t, hawser, "/inner")).status, 200);
      if (!over) worst = Math.max(worst, Date.now() - before);
      if (++served === 3) gone.destroy();
    }
    assert.deepEqual((await Promise.all([...asked, wrong])).map((one) => one.status), [200, 200, 401]);
    assert.ok(served > 10 && worst < 300, `${served} served, the slowest in ${worst} ms`);
    const before = Date.now();
    assert.equal((await fetched(t, hawser, "/", basic("slow", "password"))).status, 200);
    assert.ok(Date.now() - before < 200, "remembered");
  });

  test("and addresses: satisfy any and all", async (t) => {
    const hawser = await startConfig(t, config, { files });
    const who = basic("plain", "password");
    const ours = "X-Real-IP: 192.0.2.1";
    const got = async (...request) => (await fetched(t, hawser, ...request)).status;
    assert.deepEqual([await got("/any"), await got("/any", ours), await got("/any", who), await got("/any", basic("plain", "x"))], [401, 200, 200, 401]);
    assert.deepEqual([await got("/all"), await got("/all", ours), await got("/all", who), await got("/all", who, ours)], [403, 401, 403, 200]);
    assert.equal((await fetched(t, hawser, "/any", ours)).get("www-authenticate"), undefined);
  });
});

describe("auth_delay", () => {
  test("tells a 401 late", async (t) => {
    const hawser = await startConfig(t, ({ port, folder }) => `http { server { listen 127.0.0.1:${port}; root ${folder};
      auth_basic x; auth_basic_user_file htpasswd; auth_delay 500ms; } }`, { files: { htpasswd, "index.html": "x" } });
    const timed = async (work) => [await work, Date.now() - before];
    let before = Date.now();
    const [wrong, late] = await timed(fetched(t, hawser, "/", basic("plain", "x")));
    assert.equal(wrong.status, 401);
    assert.ok(late >= 495, `${late} ms`);
    before = Date.now();
    const [right, soon] = await timed(fetched(t, hawser, "/", basic("plain", "password")));
    assert.equal(right.status, 200);
    assert.ok(soon < 400, `${soon} ms`);
  });
});

describe("auth_request", () => {
  const proxied = (port, more = "") => `{ internal; proxy_pass http://127.0.0.1:${port}/check; ${more} }`;
  const lines = (auth, backend) => ({ port, folder }) => `error_log stderr info; http { auth_basic_user_file htpasswd; server { listen 127.0.0.1:${port}; root ${folder};
    auth_request_set $who $upstream_http_x_user;
    add_header X-Who "[$who]" always;
    location / { return 444; }
    location /open { auth_request /auth-open; }
    location = /auth-open { return 204; }
    location /static { auth_request /auth-static; }
    location = /auth-static { }
    location /unauthorized { auth_request /auth-unauthorized; }
    location = /auth-unauthorized { return 401; }
    location /forbidden { auth_request /auth-forbidden; }
    location = /auth-forbidden { return 403; }
    location /error { auth_request /auth-error; }
    location = /auth-error { return 404; }
    location /off { auth_request off; }
    location /refused { auth_request /auth-refused; }
    location = /auth-refused { proxy_pass http://127.0.0.1:1; }
    location /proxy { auth_request /auth-proxy; proxy_pass http://127.0.0.1:${backend.port}; proxy_set_header X-User $who;
      auth_request_set $who $upstream_http_x_user; auth_request_set $seen "$uri $upstream_status $request_uri"; add_header X-Seen $seen always;
      proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection; }
    location = /auth-proxy ${proxied(auth.port, "proxy_set_header X-Method $request_method; proxy_set_header X-URI $request_uri; proxy_read_timeout 300ms;")}
    location /any { satisfy any; auth_request /auth-unauthorized; auth_basic x; }
    location /page { auth_request /auth-unauthorized; error_page 401 /login; }
    location /login { auth_request off; }
    location /vars { auth_request /auth-vars; add_header X-Mine "$mine" always; }
    location = /auth-vars { set $mine "$uri of $request_uri"; return 200; }
    location /deny { deny all; auth_request /auth-open; } } }`;
  const files = { htpasswd, open: "x", static: "x", "auth-static": "INVISIBLE", off: "x", any: "x", login: "log in", vars: "x" };
  const keepBusy = (answer) => async (wire) => {
    for (;;) {
      const text = answer(await wire.takeRequest(60000));
      if (text === undefined) return;
      wire.write(text);
    }
  };
  async function start(t, answer = () => "HTTP/1.1 200 OK\r\nX-User: ann\r\nContent-Length: 9\r\n\r\nINVISIBLE") {
    const asked = [];
    const seen = [];
    const auth = await startRawBackend(t, keepBusy((request) => (asked.push(request), answer(request))));
    const backend = await startRawBackend(t, keepBusy((request) => {
      seen.push(request);
      return request.get("upgrade") ? "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n" : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    }));
    const hawser = await startConfig(t, lines(auth, backend), { files });
    return { hawser, asked, seen, auth };
  }

  test("lets pass or refuses by the status of another request", async (t) => {
    const { hawser } = await start(t);
    const got = async (...request) => (await fetched(t, hawser, ...request)).status;
    for (const [target, status] of [["/open", 200], ["/open/x", 404], ["/static", 200], ["/unauthorized", 401], ["/forbidden", 403], ["/error", 500], ["/off", 200], ["/refused", 500], ["/deny", 403]])
      assert.equal(await got(target), status, target);
    assert.doesNotMatch((await fetched(t, hawser, "/static")).body, /INVISIBLE/);
    assert.equal(await got("/any"), 401);
    assert.equal(await got("/any", basic("plain", "password")), 200);
    const page = await fetched(t, hawser, "/page");
    assert.deepEqual([page.status, page.body], [401, "log in"]);
    await until(() => /auth request unexpected status: 404, client: /.test(hawser.log), "the log's line");
    await until(() => /connect\(\) failed .*request: "GET \/refused HTTP\/1.0", subrequest: "\/auth-refused", upstream: /.test(hawser.log), "the log's line");
    assert.equal((await fetched(t, hawser, "/vars?x")).get("x-mine"), "/auth-vars of /vars?x", "variables are the same for both");
  });

  test("asks another server, whose connection is kept", async (t) => {
    const { hawser, asked, seen, auth } = await start(t);
    const answer = await fetched(t, hawser, "/proxy/a?b=c", "Cookie: d=e");
    assert.deepEqual([answer.status, answer.body, answer.get("x-seen")], [200, "ok", "/auth-proxy 200 /proxy/a?b=c"]);
    assert.deepEqual([asked[0].method, asked[0].target, asked[0].get("x-method"), asked[0].get("x-uri"), asked[0].get("cookie")], ["GET", "/check", "GET", "/proxy/a?b=c", "d=e"]);
    assert.equal(seen[0].get("x-user"), "ann");
    const wire = await connect(t, hawser.port);
    for (let i = 0; i < 5; i++) {
      wire.write("POST /proxy HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
      const response = await wire.takeResponse();
      assert.deepEqual([response.status, response.body], [200, "ok"]);
      assert.deepEqual([asked[i + 1].method, asked[i + 1].get("x-method"), asked[i + 1].get("content-length"), asked[i + 1].body], ["GET", "POST", undefined, ""]);
      assert.deepEqual([seen[i + 1].method, seen[i + 1].body], ["POST", "hello"]);
    }
    assert.ok(auth.wires.filter((one) => one.all).length <= 2, "connections to the server that is asked");
  });

  test("passes on why not", async (t) => {
    const { hawser, seen } = await start(t, () => 'HTTP/1.1 401 No\r\nWWW-Authenticate: foo\r\nWWW-Authenticate: Bearer realm="x"\r\nContent-Length: 0\r\n\r\n');
    const answer = await fetched(t, hawser, "/proxy");
    assert.equal(answer.status, 401);
    assert.deepEqual(answer.getAll("www-authenticate"), ["foo", 'Bearer realm="x"']);
    const post = await ask(t, hawser.port, "POST /proxy HTTP/1.0\r\nHost: h\r\nContent-Length: 10\r\n\r\n1234567890");
    assert.equal(post.status, 401);
    assert.equal(seen.length, 0);
  });

  test("asks before an upgrade too", async (t) => {
    const upgrade = "GET /proxy HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let status = 204;
    const { hawser, asked, seen } = await start(t, () => `HTTP/1.1 ${status} X\r\nX-User: eve\r\n${status === 204 ? "" : "Content-Length: 0\r\n"}\r\n`);
    const wire = await connect(t, hawser.port);
    wire.write(upgrade);
    assert.equal((await wire.takeHead()).status, 101);
    assert.equal(asked[0].get("upgrade"), undefined);
    assert.equal(seen[0].get("x-user"), "eve");
    status = 403;
    const other = await connect(t, hawser.port);
    other.write(upgrade);
    assert.equal((await other.takeHead()).status, 403);
    assert.equal(seen.length, 1);
  });

  test("has the deadlines of a request, and ends with its client", async (t) => {
    const { hawser, asked } = await start(t, () => "");
    assert.equal((await fetched(t, hawser, "/proxy")).status, 500);
    await until(() => /auth request unexpected status: 504/.test(hawser.log), "the log's line");
    const wire = await connect(t, hawser.port);
    wire.write(get("/proxy"));
    await until(() => asked.length === 2, "the question");
    wire.destroy();
    await until(() => /client prematurely closed connection.*subrequest: "\/auth-proxy"/.test(hawser.log), "the log's line");
    assert.equal((await fetched(t, hawser, "/open")).status, 200);
  });

  test("drops an answer's endless body", async (t) => {
    const { hawser } = await start(t, () => `HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n${"x".repeat(200000)}`);
    assert.equal((await fetched(t, hawser, "/proxy")).status, 200);
  });
});
