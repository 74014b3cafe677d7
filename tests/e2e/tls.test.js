"use strict";
// TLS towards clients and towards servers, with Node's own TLS on the other side.

const assert = require("node:assert");
const fs = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");
const tls = require("node:tls");
const { describe, test } = require("node:test");
const { WebSocket, WebSocketServer } = require("ws");
const { freePort, inBatches, atRest, until, within, SLOW } = require("./lib/base.js");
const { startConfig, startOneliner } = require("./lib/hawser.js");
const { Certificates } = require("./lib/certificates.js");

let made;
/* Made once: an authority, another one, and what they have signed. */
function certificates(t) {
  if (!made) {
    made = new Certificates({ after: (end) => process.on("exit", end) });
    made.make("ca", { authority: true }).make("stranger", { authority: true });
    made.make("one", { names: ["one.example.com", "127.0.0.1", "::1"], by: "ca" });
    made.make("two", { names: ["two.example.com"], kind: "rsa", by: "ca" });
    made.make("both", { names: ["both.example.com"], kind: "rsa", by: "ca" }).make("both-ec", { names: ["both.example.com"], by: "ca" });
    made.make("client", { by: "ca" }).make("foreign", { by: "stranger" });
    made.openssl("pkcs8", "-topk8", "-in", "one.key", "-out", "locked.key", "-passout", "pass:second");
    fs.writeFileSync(made.path("passwords"), "first\nsecond\n");
  }
  return made;
}

const site = (name, rest = "") => `ssl_certificate ${made.path(name)}.pem; ssl_certificate_key ${made.path(name)}.key; ${rest}`;

function ask(port, options = {}) {
  return new Promise((resolve, reject) => {
    const { body, servername = "one.example.com", ...rest } = options;
    const request = https.request(
      { host: "127.0.0.1", port, path: "/", agent: false, ca: made.read("ca.pem"), servername, headers: { host: servername }, ...rest },
      (answer) => {
        const chunks = [];
        answer.on("data", (chunk) => chunks.push(chunk));
        answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(chunks).toString() }));
      },
    );
    request.once("error", reject);
    request.end(body);
  });
}

/* The handshake alone: { protocol, cipher, names, chain, reused, session }. */
function shake(port, options = {}) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: "127.0.0.1", port, ca: made.read("ca.pem"), servername: "one.example.com", ...options }, () => {
      const peer = socket.getPeerCertificate(true);
      const result = {
        protocol: socket.getProtocol(),
        cipher: socket.getCipher().name,
        names: peer.subjectaltname,
        bits: peer.bits,
        issuer: peer.issuerCertificate && peer.issuerCertificate.subject.CN,
        reused: socket.isSessionReused(),
        alpn: socket.alpnProtocol,
      };
      socket.write("GET / HTTP/1.1\r\nHost: one.example.com\r\nConnection: close\r\n\r\n");
      socket.resume().once("close", () => resolve({ ...result, session }));
    });
    let session;
    socket.on("session", (given) => (session = given));
    socket.once("error", reject);
  });
}

async function secureBackend(t, { name = "one", ...options } = {}) {
  const seen = [];
  const server = https.createServer({ cert: made.read(`${name}.pem`), key: made.read(`${name}.key`), ...options }, (request, response) => {
    let bytes = 0;
    request.on("data", (chunk) => (bytes += chunk.length));
    request.on("end", () => {
      const { servername, authorized } = request.socket;
      seen.push({ servername, authorized, reused: request.socket.isSessionReused(), bytes, headers: request.headers });
      response.end(`secure ${request.url}`);
    });
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => socket.on("message", (data, isBinary) => {
    socket.pause(); /* what nobody takes is not to be gathered here */
    socket.send(data, { binary: isBinary }, () => socket.resume());
  }));
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => {
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections?.();
    server.close();
  });
  return { port: server.address().port, seen, server };
}

const open = (url, options) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { ca: made.read("ca.pem"), servername: "one.example.com", ...options });
    socket.once("open", () => resolve(socket)).once("error", reject);
  });

const once = (socket, event) => new Promise((resolve) => socket.once(event, resolve));

describe("TLS towards clients", () => {
  test("the name asked for chooses site and certificate, and the chain is whole", async (t) => {
    certificates(t);
    const hawser = await startConfig(t, ({ port }) => `http {
      server { listen 127.0.0.1:${port} ssl; server_name one.example.com; ${site("one")} return 200 "one $scheme $https $ssl_server_name $ssl_protocol"; }
      server { listen 127.0.0.1:${port} ssl; server_name two.example.com *.wild.example.com; ${site("two")} return 200 "two $server_port"; }
      server { listen 127.0.0.1:${port} ssl; server_name ~^re(?<n>[0-9]).example.com$; ${site("one")} return 200 "three $n"; } }`);
    const one = await shake(hawser.port);
    assert.match(one.names, /one\.example\.com/);
    assert.equal(one.issuer, "ca");
    assert.equal(one.protocol, "TLSv1.3");
    assert.equal((await ask(hawser.port)).text, "one https on one.example.com TLSv1.3");
    const two = await shake(hawser.port, { servername: "two.example.com" });
    assert.equal(two.bits, 2048);
    assert.equal((await ask(hawser.port, { servername: "two.example.com", headers: { host: "two.example.com" } })).text, `two ${hawser.port}`);
    const lax = { rejectUnauthorized: false };
    assert.match((await shake(hawser.port, { ...lax, servername: "a.wild.example.com" })).names, /two/);
    assert.equal((await ask(hawser.port, { ...lax, servername: "re7.example.com", headers: { host: "re7.example.com" } })).text, "three 7");
    assert.match((await shake(hawser.port, { ...lax, servername: "unknown.example.com" })).names, /one/);
    assert.match((await shake(hawser.port, { ...lax, servername: "" })).names, /one/);
  });

  test("RSA and EC side by side; a locked key; a key in the configuration itself", async (t) => {
    certificates(t);
    const hawser = await startConfig(t, ({ port }) => `http {
      server { listen 127.0.0.1:${port} ssl; ${site("both")} ${site("both-ec")} return 200 "both"; }
      server { listen 127.0.0.1:${port} ssl; server_name one.example.com; ssl_certificate ${made.path("one.pem")};
               ssl_certificate_key ${made.path("locked.key")}; ssl_password_file ${made.path("passwords")}; return 200 "locked"; }
      server { listen 127.0.0.1:${port} ssl; server_name two.example.com; ssl_certificate ${made.path("two.pem")};
               ssl_certificate_key "data:${made.read("two.key")}"; return 200 "inline"; } }`);
    const options = { servername: "both.example.com", maxVersion: "TLSv1.2" };
    assert.equal((await shake(hawser.port, { ...options, ciphers: "ECDHE-RSA-AES128-GCM-SHA256" })).bits, 2048);
    assert.equal((await shake(hawser.port, { ...options, ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" })).bits, 256);
    assert.equal((await ask(hawser.port)).text, "locked");
    assert.equal((await ask(hawser.port, { servername: "two.example.com", headers: { host: "two.example.com" } })).text, "inline");
  });

  test("old versions are refused, the ciphers are those allowed, ALPN is HTTP/1.1", async (t) => {
    certificates(t);
    const hawser = await startConfig(t, ({ port }) => `http {
      server { listen 127.0.0.1:${port} ssl; ${site("one", "ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384;")} return 204; }
      server { listen 127.0.0.1:${port} ssl; server_name new.example.com; ${site("one", "ssl_protocols TLSv1.3;")} return 204; } }`);
    for (const version of ["TLSv1", "TLSv1.1"])
      await assert.rejects(shake(hawser.port, { minVersion: version, maxVersion: version, ciphers: "ALL:@SECLEVEL=0" }), /alert|version|closed|reset/i);
    const old = await shake(hawser.port, { maxVersion: "TLSv1.2" });
    assert.equal(old.cipher, "ECDHE-ECDSA-AES256-GCM-SHA384");
    await assert.rejects(shake(hawser.port, { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" }), /alert|handshake/i);
    await assert.rejects(shake(hawser.port, { servername: "new.example.com", maxVersion: "TLSv1.2", rejectUnauthorized: false }), /alert|version/i);
    assert.equal((await shake(hawser.port, { ALPNProtocols: ["h2", "http/1.1"] })).alpn, "http/1.1");
    await assert.rejects(shake(hawser.port, { ALPNProtocols: ["h2"] }), /alert|protocol/i);
  });

  test("plain HTTP on a TLS port is told so; ssl_reject_handshake refuses", async (t) => {
    certificates(t);
    const hawser = await startConfig(t, ({ port }) => `error_log stderr info; http {
      server { listen 127.0.0.1:${port} ssl; ssl_reject_handshake on; return 200 "never"; }
      server { listen 127.0.0.1:${port} ssl; server_name one.example.com; ${site("one")} return 200 "one"; } }`);
    const answer = await new Promise((resolve, reject) =>
      http.get({ host: "127.0.0.1", port: hawser.port, headers: { host: "one.example.com" } }, (got) => {
        let text = "";
        got.on("data", (chunk) => (text += chunk)).on("end", () => resolve({ status: got.statusCode, text }));
      }).once("error", reject));
    assert.equal(answer.status, 400);
    assert.match(answer.text, /The plain HTTP request was sent to HTTPS port/);
    assert.equal((await ask(hawser.port)).text, "one");
    await assert.rejects(shake(hawser.port, { servername: "other.example.com" }), /unrecognized name|alert/i);
    await until(() => /SSL_do_handshake\(\) failed \(SSL: error:.*while SSL handshaking, client: 127\.0\.0\.1/.test(hawser.log), "the log's line");
  });

  test("clients' certificates: wanted, wrong, missing, optional", async (t) => {
    certificates(t);
    const verify = (how) => `ssl_client_certificate ${made.path("ca.pem")}; ssl_verify_client ${how};`;
    const tell = 'return 200 "$ssl_client_verify $ssl_client_s_dn $ssl_client_i_dn";';
    const hawser = await startConfig(t, ({ port }) => `http {
      server { listen 127.0.0.1:${port} ssl; server_name one.example.com; ${site("one", verify("on"))} ${tell} }
      server { listen 127.0.0.1:${port} ssl; server_name optional; ${site("one", verify("optional"))} ${tell} }
      server { listen 127.0.0.1:${port} ssl; server_name noca; ${site("one", verify("optional_no_ca"))} ${tell} }
      server { listen 127.0.0.1:${port} ssl; server_name open; ${site("one")} ${tell} } }`);
    const with_ = (name) => ({ cert: made.read(`${name}.pem`), key: made.read(`${name}.key`) });
    const to = (name, rest = {}) => ask(hawser.port, { servername: name, headers: { host: name }, rejectUnauthorized: false, ...rest });
    const fine = await to("one.example.com", with_("client"));
    assert.deepEqual([fine.status, fine.text], [200, "SUCCESS CN=client CN=ca"]);
    const wrong = await to("one.example.com", with_("foreign"));
    assert.equal(wrong.status, 400);
    assert.match(wrong.text, /The SSL certificate error/);
    const none = await to("one.example.com");
    assert.equal(none.status, 400);
    assert.match(none.text, /No required SSL certificate was sent/);
    assert.equal((await to("optional")).text, "NONE  ");
    assert.equal((await to("optional", with_("foreign"))).status, 400);
    const unknown = await to("noca", with_("foreign"));
    assert.equal(unknown.status, 200);
    assert.match(unknown.text, /^FAILED:.* CN=foreign CN=stranger$/);
    /* a request for a site that verifies, on a connection made for another one */
    const misdirected = await ask(hawser.port, { servername: "open", headers: { host: "one.example.com" }, rejectUnauthorized: false });
    assert.equal(misdirected.status, 421);
  });

  test("sessions are resumed, by ticket and by id, and a reload does not forget the tickets", async (t) => {
    certificates(t);
    const config = (port, version) => `http { server { listen 127.0.0.1:${port} ssl; ${site("one")}
      return 200 "${version}"; }
      server { listen 127.0.0.1:${port} ssl; server_name cached; ${site("one", "ssl_session_cache shared:S:1m; ssl_session_tickets off;")} return 204; }
      server { listen 127.0.0.1:${port} ssl; server_name never; ${site("one", "ssl_session_cache off; ssl_session_tickets off;")} return 204; } }`;
    const hawser = await startConfig(t, ({ port }) => config(port, "none"));
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"]) {
      const first = await shake(hawser.port, { maxVersion });
      assert.equal(first.reused, false);
      assert.equal((await shake(hawser.port, { maxVersion, session: first.session })).reused, true, maxVersion);
      hawser.reload(config(hawser.port, maxVersion));
      await until(async () => (await ask(hawser.port)).text === maxVersion, "the reload");
      assert.equal((await shake(hawser.port, { maxVersion, session: first.session })).reused, true, `${maxVersion} after a reload`);
    }
  });

  test("a new certificate is used after a reload, and nothing that is under way is lost", async (t) => {
    const own = new Certificates(t);
    certificates(t);
    for (const name of ["one.pem", "one.key", "two.pem", "two.key"]) fs.copyFileSync(made.path(name), own.path(name));
    fs.copyFileSync(own.path("one.pem"), own.path("now.pem"));
    fs.copyFileSync(own.path("one.key"), own.path("now.key"));
    const backend = await secureBackend(t);
    const hawser = await startConfig(t, ({ port }) => `http { server { listen 127.0.0.1:${port} ssl;
      ssl_certificate ${own.path("now.pem")}; ssl_certificate_key ${own.path("now.key")}; location / { proxy_pass https://127.0.0.1:${backend.port}; } } }`);
    const socket = await open(`wss://127.0.0.1:${hawser.port}/`);
    fs.copyFileSync(own.path("two.pem"), own.path("now.pem"));
    hawser.reload(); /* certificate and key do not fit: nothing changes */
    await until(() => /key (values|type) mismatch/.test(hawser.log), "the log to say so");
    assert.match((await shake(hawser.port)).names, /one/);
    fs.copyFileSync(own.path("two.key"), own.path("now.key"));
    hawser.reload();
    await until(async () => /two/.test((await shake(hawser.port, { servername: "two.example.com", rejectUnauthorized: false })).names), "the new certificate");
    socket.send("still here");
    assert.equal(String(await within(3000 * SLOW, once(socket, "message"), "the echo")), "still here");
    socket.terminate();
  });

  test("large answers and bodies pass whole", async (t) => {
    certificates(t);
    const backend = await secureBackend(t);
    const bytes = Buffer.alloc(3000000, "hawser ");
    const hawser = await startConfig(t, ({ port, folder }) => `http { client_max_body_size 0; server { listen 127.0.0.1:${port} ssl; ${site("one", "ssl_buffer_size 4k;")}
      location / { root ${folder}; } location /to { proxy_pass https://127.0.0.1:${backend.port}; } } }`, { files: { "big.txt": bytes } });
    assert.equal((await ask(hawser.port, { path: "/big.txt" })).text, bytes.toString());
    await ask(hawser.port, { path: "/to", method: "POST", body: bytes });
    assert.equal(backend.seen[0].bytes, bytes.length);
  });

  test("aborted handshakes leave nothing behind", async (t) => {
    certificates(t);
    const hawser = await startConfig(t, ({ port }) => `http { server { listen 127.0.0.1:${port} ssl; ${site("one")} return 204; } }`);
    const descriptors = () => fs.readdirSync(`/proc/${hawser.pid}/fd`).length;
    let hello;
    const catcher = net.createServer((socket) => socket.once("data", (data) => { hello = data; socket.destroy(); }));
    await new Promise((done) => catcher.listen(0, "127.0.0.1", done));
    await shake(catcher.address().port).catch(() => {});
    catcher.close();
    const abort = (bytes) =>
      new Promise((resolve) => {
        const socket = net.connect(hawser.port, "127.0.0.1", () => socket.write(bytes, () => socket.resetAndDestroy?.() ?? socket.destroy()));
        socket.once("close", resolve).once("error", () => {});
      });
    const kinds = [hello, hello.subarray(0, 40), Buffer.concat([hello, hello]), Buffer.from("\x16\x03\x01\xff\xff"), Buffer.from("\x16")];
    const round = (count) => inBatches(count, 50, (i) => abort(kinds[i % kinds.length]));
    await round(500);
    await until(() => descriptors() < 40, "the descriptors");
    const before = { pss: hawser.pss(), descriptors: descriptors() };
    await round(10000);
    await until(() => descriptors() <= before.descriptors, "the descriptors to go");
    const grown = hawser.pss() - before.pss;
    if (SLOW === 1) assert.ok(grown < 4 << 20, `${grown} bytes more after 10,000 aborted handshakes`);
    assert.equal((await ask(hawser.port)).status, 204);
  });
});

test("the example of docs/tls.md", async (t) => {
  certificates(t);
  const backend = await secureBackend(t);
  const node = http.createServer((request, response) => response.end("node"));
  await new Promise((done) => node.listen(0, "127.0.0.1", done));
  t.after(() => node.close());
  const text = fs.readFileSync(path.join(__dirname, "../../docs/tls.md"), "utf8").match(/```nginx\n([^]*?)```/)[1];
  const plain = await freePort();
  const hawser = await startConfig(t, ({ port }) => text
    .replaceAll("listen 443", `listen 127.0.0.1:${port}`).replace("listen 80", `listen 127.0.0.1:${plain}`)
    .replaceAll(/(chat|admin)\.(pem|key)/g, (_, name, ending) => made.path(`${name === "chat" ? "one" : "two"}.${ending}`))
    .replace("staff.pem", made.path("ca.pem")).replace("internal-ca.pem", made.path("ca.pem"))
    .replaceAll("example.com;", "example.com localhost;").replace("admin.internal:8443", `127.0.0.1:${backend.port}`)
    .replace(/server 127.0.0.1:3001;\s*server 127.0.0.1:3002;/, `server 127.0.0.1:${node.address().port};`));
  const lax = { rejectUnauthorized: false };
  assert.equal((await ask(hawser.port, { ...lax, servername: "chat.example.com" })).text, "node");
  assert.equal((await ask(hawser.port, { ...lax, servername: "admin.example.com" })).status, 400);
  const staff = { cert: made.read("client.pem"), key: made.read("client.key") };
  assert.equal((await ask(hawser.port, { ...lax, ...staff, servername: "admin.example.com" })).text, "secure /");
  assert.equal(backend.seen[0].headers["x-client"], "CN=client");
  await assert.rejects(shake(hawser.port, { servername: "other.example.com" }), /alert|unrecognized/i);
  const moved = await fetch(`http://127.0.0.1:${plain}/x`, { redirect: "manual" });
  assert.equal(moved.headers.get("location"), "https://127.0.0.1/x");
});

describe("TLS towards servers", () => {
  test("names, verification, and what is said when it fails", async (t) => {
    certificates(t);
    const backend = await secureBackend(t);
    const to = `proxy_pass https://127.0.0.1:${backend.port};`;
    const verify = (ca) => `proxy_ssl_verify on; proxy_ssl_trusted_certificate ${made.path(ca)}.pem;`;
    const hawser = await startConfig(t, ({ port }) => `http { server { listen 127.0.0.1:${port};
      location /plain { ${to} }
      location /named { ${to} proxy_ssl_server_name on; proxy_ssl_name $arg_name; }
      location /good { ${to} ${verify("ca")} proxy_ssl_name one.example.com; }
      location /address { ${to} ${verify("ca")} }
      location /brackets { ${to} ${verify("ca")} proxy_ssl_name [::1]; }
      location /brackets/other { ${to} ${verify("ca")} proxy_ssl_name [::2]; }
      location /stranger { ${to} ${verify("stranger")} }
      location /misnamed { ${to} ${verify("ca")} proxy_ssl_name other.example.com; }
      location /nobody { proxy_pass https://127.0.0.1:1; } } }`);
    const get = async (target) => (await fetch(`${hawser.url}${target}`)).status;
    assert.equal(await get("/plain"), 200);
    assert.equal(backend.seen.at(-1).servername, false);
    assert.equal(await get("/named?name=x.example.com:443"), 200);
    assert.equal(backend.seen.at(-1).servername, "x.example.com");
    assert.equal(await get("/good"), 200);
    assert.equal(await get("/address"), 200);
    assert.equal(await get("/brackets"), 200);
    assert.equal(await get("/brackets/other"), 502);
    assert.equal(await get("/stranger"), 502);
    assert.equal(await get("/misnamed"), 502);
    assert.equal(await get("/nobody"), 502);
    await until(() => /upstream SSL certificate verify error: \(\d+:.*\) while SSL handshaking to upstream/.test(hawser.log), "its line");
    assert.match(hawser.log, /upstream SSL certificate does not match "other\.example\.com" while SSL handshaking to upstream.*upstream: "https:\/\//);
  });

  test("a certificate of our own, and sessions that are resumed", async (t) => {
    certificates(t);
    const asking = { requestCert: true, rejectUnauthorized: false, ca: made.read("ca.pem") };
    const backend = await secureBackend(t, asking);
    const hawser = await startConfig(t, ({ port }) => `http { upstream secure { server 127.0.0.1:${backend.port}; keepalive 0; }
      server { listen 127.0.0.1:${port}; proxy_ssl_certificate ${made.path("client.pem")}; proxy_ssl_certificate_key ${made.path("client.key")};
      location / { proxy_pass https://secure; }
      location /anew { proxy_pass https://secure; proxy_ssl_session_reuse off; } } }`);
    for (const target of ["/", "/", "/", "/anew", "/anew"]) await (await fetch(`${hawser.url}${target}`)).text();
    assert.deepEqual(backend.seen.map(({ authorized }) => authorized), [true, true, true, true, true]);
    assert.deepEqual(backend.seen.map(({ reused }) => reused), [false, true, true, false, false]);
  });

  test("without a configuration each server is asked for by its own name; a WebSocket passes", async (t) => {
    certificates(t);
    const [named, bare] = [await secureBackend(t), await secureBackend(t)];
    const hawser = await startOneliner(t, [`https://localhost:${named.port}`, `wss://127.0.0.1:${bare.port}/`]);
    await until(async () => {
      assert.equal(await (await fetch(`${hawser.url}/x`)).text(), "secure /x");
      return named.seen.length && bare.seen.length;
    }, "both servers to be asked");
    assert.equal(named.seen[0].servername, "localhost");
    assert.equal(bare.seen[0].servername, false);
    const socket = await open(`${hawser.url.replace("http:", "ws:")}/`);
    const back = new Promise((resolve) => socket.once("message", (data) => resolve(String(data))));
    socket.send("through");
    assert.equal(await within(3000 * SLOW, back, "the message"), "through");
    socket.terminate();
  });

  test("plain HTTP where TLS is expected is the server's fault", async (t) => {
    certificates(t);
    const plain = http.createServer((request, response) => response.end("plain"));
    await new Promise((done) => plain.listen(0, "127.0.0.1", done));
    t.after(() => plain.close());
    const hawser = await startConfig(t, ({ port }) => `http { server { listen 127.0.0.1:${port};
      location / { proxy_pass https://127.0.0.1:${plain.address().port}; } } }`);
    assert.equal((await fetch(hawser.url)).status, 502);
    await until(() => /SSL_do_handshake\(\) failed \(SSL: error:.*\) while SSL handshaking to upstream/.test(hawser.log), "its line");
  });
});

test("ssl_key_log and proxy_ssl_key_log: what is recorded of a connection can be read", async (t) => {
  certificates(t);
  const backend = await secureBackend(t, {});
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "hawser-keys-"));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const hawser = await startConfig(t, ({ port }) => `http { server { listen 127.0.0.1:${port} ssl; ${site("one")} ssl_key_log ${folder}/front;
    location / { proxy_pass https://127.0.0.1:${backend.port}; proxy_ssl_key_log ${folder}/back; } } }`);
  const theirs = [];
  await new Promise((resolve, reject) => {
    const socket = tls.connect({ host: "127.0.0.1", port: hawser.port, ca: made.read("ca.pem"), servername: "one.example.com" }, () =>
      socket.write("GET / HTTP/1.0\r\nHost: one.example.com\r\n\r\n"));
    socket.on("keylog", (line) => theirs.push(line.toString()));
    socket.on("error", reject).on("close", resolve).resume();
  });
  const written = (name) => fs.readFileSync(`${folder}/${name}`, "utf8").split("\n").filter((line) => line);
  assert.ok(theirs.length >= 4);
  for (const line of theirs) assert.ok(written("front").includes(line.trim()), line);
  assert.ok(written("back").some((line) => /^CLIENT_TRAFFIC_SECRET_0 [0-9a-f]{64} [0-9a-f]+$/.test(line)));
  assert.equal(fs.statSync(`${folder}/front`).mode & 0o777, 0o600);
});

describe("WebSocket with TLS on both sides", () => {
  const suites = [
    {},
    { ciphers: "TLS_AES_128_GCM_SHA256" },
    { ciphers: "TLS_CHACHA20_POLY1305_SHA256" },
    { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" },
    { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-CHACHA20-POLY1305" },
    { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA256" },
  ];
  for (const options of suites)
    test(`messages of every size come back: ${JSON.stringify(options)}`, async (t) => {
      certificates(t);
      const backend = await secureBackend(t);
      const hawser = await startConfig(t, ({ port }) => `http { log_format tls '$status $ssl_protocol $ssl_cipher $ssl_server_name'; server { listen 127.0.0.1:${port} ssl; ${site("one")}
        access_log log tls; location / { proxy_pass https://127.0.0.1:${backend.port}; } } }`);
      const socket = await open(`wss://127.0.0.1:${hawser.port}/`, options);
      for (const size of [0, 1, 125, 4000, 16384, 16385, 70000, 3000000]) {
        const sent = Buffer.alloc(size, size % 251);
        socket.send(sent);
        const got = await within(5000 * SLOW, once(socket, "message"), `${size} bytes`);
        assert.ok(sent.equals(Buffer.from(got)), `${size} bytes`);
      }
      socket.close();
      await once(socket, "close");
      const line = () => fs.readFileSync(path.join(hawser.folder, "log"), "utf8");
      await until(() => line().length > 0, "the log's line");
      assert.match(line(), /^101 TLSv1\.\d (TLS_|ECDHE)\S+ one\.example\.com$/m);
    });

  test("a reader that stops, stops the sender, and loses nothing", async (t) => {
    certificates(t);
    const backend = await secureBackend(t);
    const hawser = await startConfig(t, ({ port }) => `http { server { listen 127.0.0.1:${port} ssl; ${site("one")}
      location / { proxy_pass https://127.0.0.1:${backend.port}; } } }`);
    const socket = await open(`wss://127.0.0.1:${hawser.port}/`);
    const chunk = Buffer.alloc(1 << 20, "x");
    socket.pause();
    let back = 0;
    socket.on("message", (data) => (back += data.length));
    for (let i = 0; i < 80; i++) socket.send(chunk); // the sockets on the way hold half of it at most
    assert.ok(await atRest(() => socket.bufferedAmount), "the sender has to wait");
    socket.resume();
    await until(() => back === 80 * chunk.length, "all of it", 20000 * SLOW);
    socket.terminate();
  });
});
