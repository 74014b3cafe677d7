"use strict";
// Certificates and keys that variables name: towards clients by the name asked for, towards servers by the request, and
// what is kept of them.

const assert = require("node:assert");
const fs = require("node:fs");
const net = require("node:net");
const { execFileSync } = require("node:child_process");
const https = require("node:https");
const tls = require("node:tls");
const { describe, test } = require("node:test");
const { freePort, sleep, until, within } = require("./lib/base.js");
const { startConfig } = require("./lib/hawser.js");
const { Certificates } = require("./lib/certificates.js");

const isNginx = process.env.PROXY === "nginx"; // Debian's, of 2022: without a cache for certificates, and without stream
const NAMES = ["one", "two", "both", "1.example.com", "2.example.com", "3.example.com", "4.example.com", "5.example.com", "dummy"];
let made;
function certificates() {
  if (made) return made;
  made = new Certificates({ after: (end) => process.on("exit", end) });
  made.make("root", { authority: true });
  for (const name of NAMES) made.make(name, { by: "root" });
  made.make("both-rsa", { subject: "both", kind: "rsa", by: "root" });
  made.make("e.example.com", { by: "root" });
  made.openssl("pkcs8", "-topk8", "-in", "e.example.com.key", "-out", "locked.key", "-passout", "pass:second");
  fs.renameSync(made.path("locked.key"), made.path("e.example.com.key"));
  fs.writeFileSync(made.path("passwords"), "first\nsecond\n");
  fs.mkdirSync(made.path("certs"));
  fs.cpSync(made.path("two.pem"), made.path("certs/two.pem"));
  fs.cpSync(made.path("two.key"), made.path("certs/two.key"));
  return made;
}

/* Files of this test's own, to be changed. */
function copy(folder, names) {
  certificates();
  for (const name of names) for (const end of ["pem", "key"]) fs.cpSync(made.path(`${name}.${end}`), `${folder}/${name}.${end}`);
}

/* As a new file, at once: or none. */
function replace(folder, name, by) {
  for (const end of ["pem", "key"]) {
    if (!by) {
      fs.rmSync(`${folder}/${name}.${end}`);
      continue;
    }
    fs.writeFileSync(`${folder}/${name}.new`, fs.readFileSync(`${folder}/${by}.${end}`));
    fs.renameSync(`${folder}/${name}.new`, `${folder}/${name}.${end}`);
  }
}

/* The handshake, and what is said behind it: { name, text, reused, session }. */
function shake(port, servername, { say = "GET / HTTP/1.1\r\nHost: " + servername + "\r\nConnection: close\r\n\r\n", ...options } = {}) {
  const shaken = new Promise((resolve, reject) => {
    let session;
    let text = "";
    const socket = tls.connect({ host: "127.0.0.1", port, servername, rejectUnauthorized: false, ...options }, () => {
      const peer = socket.getPeerCertificate();
      const result = { name: peer.subject?.CN, bits: peer.bits, reused: socket.isSessionReused() };
      socket.write(say);
      socket.on("data", (bytes) => (text += bytes)).once("close", () => resolve({ ...result, text, session }));
    });
    socket.on("session", (given) => (session = given));
    socket.once("error", reject);
  });
  return within(10000, shaken, `the end of a connection for ${servername}`);
}

const nameOf = async (...args) => (await shake(...args)).name;

describe("towards clients", () => {
  const config = (port, d) => `error_log stderr info; http {
    root ${d}; geo $one { default one; } geo $two { default two; } geo $locked { default e.example.com; }
    map $ssl_server_name $mapped { default ""; ~^m-(?<which>.+)$ $which; }
    add_header X-SSL $ssl_server_name:$ssl_session_reused; ssl_session_cache shared:SSL:1m;
    server { listen 127.0.0.1:${port[0]} ssl; server_name default; ssl_certificate ${d}/$one.pem; ssl_certificate_key ${d}/$one.key; return 200 default; }
    server { listen 127.0.0.1:${port[0]} ssl; server_name virtual; ssl_certificate ${d}/$two.pem; ssl_certificate_key ${d}/$two.key; return 200 virtual; }
    server { listen 127.0.0.1:${port[0]} ssl; server_name no_ctx; return 200 no_ctx; }
    server { listen 127.0.0.1:${port[1]} ssl; ssl_certificate ${d}/$one.pem; ssl_certificate_key ${d}/$one.key; return 200 "other"; }
    server { listen 127.0.0.1:${port[2]} ssl; ssl_certificate ${d}/$two.pem; ssl_certificate_key ${d}/$two.key; return 200 "other"; }
    server { listen 127.0.0.1:${port[3]} ssl; server_name locked; ssl_certificate ${d}/e.example.com.pem; ssl_certificate_key ${d}/$locked.key;
      ssl_password_file ${d}/passwords; return 200 locked; }
    server { listen 127.0.0.1:${port[4]} ssl; server_name perhost; ssl_certificate ${d}/certs/$ssl_server_name.pem; ssl_certificate_key ${d}/certs/$ssl_server_name.key; return 200 perhost; }
    server { listen 127.0.0.1:${port[5]} ssl; ssl_certificate ${d}/$mapped.pem; ssl_certificate_key ${d}/$mapped.key; return 200 mapped; }
    server { listen 127.0.0.1:${port[6]} ssl; ssl_certificate ${d}/$ssl_server_name.pem; ssl_certificate_key ${d}/$ssl_server_name.key;
      ssl_certificate ${d}/$ssl_server_name-rsa.pem; ssl_certificate_key ${d}/$ssl_server_name-rsa.key; return 200 both; }
  }`;
  const start = async (t) => {
    const d = certificates().folder;
    const ports = await Promise.all(Array.from({ length: 7 }, freePort));
    return { hawser: await startConfig(t, config(ports, d), { port: ports[0] }), ports, d };
  };

  test("each server its own, also one without any; passwords; files by the name asked for", async (t) => {
    const { hawser, ports } = await start(t);
    for (const [name, certificate] of [["default", "one"], ["virtual", "two"], ["no_ctx", "one"]]) {
      const seen = await shake(ports[0], name);
      assert.deepEqual([seen.name, seen.text.slice(-name.length)], [certificate, name]);
    }
    assert.equal(await nameOf(ports[3], "locked"), "e.example.com");
    assert.equal(await nameOf(ports[4], "two"), "two");
    assert.equal(await nameOf(ports[5], "m-one"), "one");
    assert.equal(await nameOf(ports[5], "m-3.example.com"), "3.example.com");
    await assert.rejects(shake(ports[4], "nx"));
    await until(() => /\[error\] .*cannot load certificate "\S*\/certs\/nx\.pem": \S+ failed .*while SSL handshaking, client: 127\.0\.0\.1, server: 127\.0\.0\.1:\d+/.test(hawser.log), "the log to say so");
  });

  test("two kinds side by side", async (t) => {
    const { ports } = await start(t);
    const with12 = { maxVersion: "TLSv1.2" };
    assert.equal((await shake(ports[6], "both", { ...with12, ciphers: "ECDHE-RSA-AES128-GCM-SHA256" })).bits, 2048);
    assert.equal((await shake(ports[6], "both", { ...with12, ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" })).bits, 256);
  });

  test("sessions are resumed where the names in the configuration are the same", { skip: isNginx }, async (t) => {
    const { ports } = await start(t);
    for (const version of ["TLSv1.2", "TLSv1.3"]) {
      const options = { minVersion: version, maxVersion: version };
      const { session } = await shake(ports[0], "default", options);
      const again = async (port) => (await shake(port, "default", { ...options, session })).text.match(/X-SSL: default:(.)/)[1];
      assert.deepEqual([await again(ports[0]), await again(ports[1]), await again(ports[2])], ["r", "r", "."]);
    }
  });

  test("nobody asks for a file outside the folder", { skip: isNginx }, async (t) => {
    const { hawser, ports } = await start(t);
    const told = () => (hawser.log.match(/client sent invalid server name while SSL handshaking/g) || []).length;
    for (const name of ["../two", "../one", "x/../../one", ".."]) {
      const before = told();
      await assert.rejects(shake(ports[4], name), undefined, name);
      await until(() => told() > before, () => `the log to say so of ${name}:\n${hawser.log.slice(-1000)}`);
    }
  });

  test("data: in a variable, and no key in the log when it is wrong", async (t) => {
    const d = certificates().folder;
    const pem = (name, end) => fs.readFileSync(`${d}/${name}.${end}`, "utf8");
    const [port, wrong] = [await freePort(), await freePort()];
    const hawser = await startConfig(
      t,
      `http { map $ssl_server_name $pem { default "${pem("one", "pem")}"; } map $ssl_server_name $key { default "${pem("one", "key")}"; x "${pem("two", "key")}"; y "secret"; }
        server { listen 127.0.0.1:${port} ssl; ssl_certificate data:$pem; ssl_certificate_key data:$key; ${isNginx ? "" : "ssl_certificate_cache max=4;"} return 200 data; }
        server { listen 127.0.0.1:${wrong} ssl; ssl_certificate data:$pem; ssl_certificate_key data:$key; return 200 data; } }`,
      { port },
    );
    assert.equal(await nameOf(port, "a"), "one");
    assert.equal(await nameOf(port, "a"), "one");
    assert.equal(await nameOf(wrong, "a"), "one");
    for (const at of [port, wrong]) {
      await assert.rejects(shake(at, "x"));
      await assert.rejects(shake(at, "y"));
    }
    await until(() => /SSL_use_PrivateKey\("data:[^]*key values mismatch/.test(hawser.log), "the log to say so");
    if (!isNginx) assert.doesNotMatch(hawser.log, /PRIVATE KEY|secret/);
  });

  test("what is read is kept as ssl_certificate_cache says", { skip: isNginx }, async (t) => {
    const port = await freePort();
    const hawser = await startConfig(
      t,
      `worker_processes 1; http { ssl_certificate $ssl_server_name.pem; ssl_certificate_key $ssl_server_name.key; ssl_certificate_cache max=4 valid=1s;
        server { listen 127.0.0.1:${port} ssl; server_name localhost; return 200 ok; }
        server { listen 127.0.0.1:${port} ssl; server_name 4.example.com; ssl_certificate_cache off; return 200 ok; }
        server { listen 127.0.0.1:${port} ssl; server_name 5.example.com; ssl_certificate_cache max=4 inactive=1s; return 200 ok; } }`,
      { port },
    );
    const d = hawser.folder;
    copy(d, NAMES);
    const get = (n) => nameOf(port, `${n}.example.com`);
    assert.equal(await get(1), "1.example.com");
    replace(d, "1.example.com");
    assert.equal(await get(1), "1.example.com", "kept");
    assert.deepEqual([await get(2), await get(3)], ["2.example.com", "3.example.com"]);
    await assert.rejects(get(1), undefined, "out, for there is no more room");
    replace(d, "2.example.com", "dummy");
    replace(d, "3.example.com");
    assert.deepEqual([await get(2), await get(3)], ["2.example.com", "3.example.com"]);
    assert.equal(await get(4), "4.example.com");
    replace(d, "4.example.com", "dummy");
    assert.equal(await get(4), "dummy");
    assert.equal(await get(5), "5.example.com");
    await sleep(2100);
    assert.equal(await get(2), "dummy");
    await assert.rejects(get(3));
    replace(d, "5.example.com", "dummy");
    assert.equal(await get(5), "dummy");
  });

  test("a pair of which one half was kept and the other is new is read anew", { skip: isNginx }, async (t) => {
    const hawser = await startConfig(t, ({ port }) => `worker_processes 1; http { ssl_certificate $ssl_server_name.pem; ssl_certificate_key $ssl_server_name.key; ssl_certificate_cache max=3;
      server { listen 127.0.0.1:${port} ssl; return 200 ok; } }`);
    const d = hawser.folder;
    copy(d, NAMES);
    assert.equal(await nameOf(hawser.port, "1.example.com"), "1.example.com");
    assert.equal(await nameOf(hawser.port, "2.example.com"), "2.example.com"); // the first one's certificate is out
    replace(d, "1.example.com", "dummy");
    assert.equal(await nameOf(hawser.port, "1.example.com"), "dummy");
  });

  test("a reload forgets what was kept, and a FIFO keeps nobody waiting", { skip: isNginx }, async (t) => {
    const hawser = await startConfig(t, ({ port }) => `http { ssl_certificate $ssl_server_name.pem; ssl_certificate_key $ssl_server_name.key; ssl_certificate_cache max=10 valid=1h;
      server { listen 127.0.0.1:${port} ssl; return 200 ok; } }`);
    const d = hawser.folder;
    copy(d, ["one", "two"]);
    execFileSync("mkfifo", [`${d}/fifo.pem`]);
    await assert.rejects(shake(hawser.port, "fifo"));
    assert.equal(await nameOf(hawser.port, "one"), "one");
    replace(d, "one", "two");
    hawser.reload();
    await until(async () => (await nameOf(hawser.port, "one")) === "two", "the new one");
  });

  test("stream", { skip: isNginx }, async (t) => {
    const d = certificates().folder;
    const ports = await Promise.all(Array.from({ length: 5 }, freePort));
    const pair = (name) => `ssl_certificate ${d}/${name}.pem; ssl_certificate_key ${d}/${name}.key;`;
    const server = (port, rest) => `server { listen 127.0.0.1:${port} ssl; return $ssl_server_name:$ssl_session_reused; ${rest} }`;
    const hawser = await startConfig(
      t,
      `stream { geo $one { default one; } geo $two { default two; } geo $locked { default e.example.com; } ssl_session_cache shared:SSL:1m;
        ${server(ports[0], pair("$one"))} ${server(ports[1], pair("$one"))} ${server(ports[2], pair("$two"))} ${server(ports[4], pair("$ssl_server_name"))}
        ${server(ports[3], `ssl_certificate ${d}/e.example.com.pem; ssl_certificate_key ${d}/$locked.key; ssl_password_file ${d}/passwords;`)} }`,
      { port: ports[0] },
    );
    const get = (port, name, options) => shake(port, name, { say: "", maxVersion: "TLSv1.2", ...options });
    const first = await get(ports[0], "default");
    assert.deepEqual([first.name, first.text], ["one", "default:."]);
    assert.equal((await get(ports[3], "locked")).text, "locked:.");
    const again = async (port) => (await get(port, "default", { session: first.session })).text;
    assert.deepEqual([await again(ports[0]), await again(ports[1]), await again(ports[2])], ["default:r", "default:r", "default:."]);
    assert.equal((await get(ports[4], "two")).name, "two");
    await assert.rejects(get(ports[4], "nx"));
    await until(() => /cannot load certificate "\S*nx\.pem"/.test(hawser.log), "the log to say so");
  });
});

/* A server that tells whose certificate it was shown, and whether the connection or its session was another's. */
async function nosyBackend(t) {
  certificates();
  const server = https.createServer({ cert: made.read("one.pem"), key: made.read("one.key"), ca: made.read("root.pem"), requestCert: true, rejectUnauthorized: false }, (request, response) => {
    const { socket } = request;
    socket.asked = (socket.asked || 0) + 1;
    response.end(`${socket.getPeerCertificate().subject?.CN || "nobody"} ${socket.authorized} ${socket.isSessionReused() ? "resumed" : "full"} ${socket.asked}`);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  t.after(() => server.closeAllConnections() || server.close());
  return server.address().port;
}

describe("towards servers", () => {
  const fetchText = async (url) => {
    const answer = await fetch(url);
    return `${answer.status} ${(await answer.text()).trim()}`;
  };

  test("by the request; none, wrong ones and locked ones", async (t) => {
    const [d, back] = [certificates().folder, await nosyBackend(t)];
    const hawser = await startConfig(
      t,
      ({ port }) => `http { server { listen 127.0.0.1:${port}; proxy_ssl_session_reuse off;
        proxy_ssl_certificate ${d}/$arg_cert.example.com.pem; proxy_ssl_certificate_key ${d}/$arg_cert.example.com.key;
        location / { proxy_pass https://127.0.0.1:${back}; }
        location /locked { proxy_pass https://127.0.0.1:${back}; proxy_ssl_password_file ${d}/passwords; }
        location /outer/ { proxy_ssl_password_file ${d}/passwords; location /outer/1 { proxy_pass https://127.0.0.1:${back}; } location /outer/2 { proxy_pass https://127.0.0.1:${back}; } }
        location /whole { proxy_pass https://127.0.0.1:${back}; proxy_ssl_certificate $arg_cert; proxy_ssl_certificate_key $arg_cert; } } }`,
    );
    const get = async (path) => (await fetchText(hawser.url + path)).replace(/ full.*/, "");
    assert.equal(await get("/?cert=1"), "200 1.example.com true");
    assert.equal(await get("/?cert=2"), "200 2.example.com true");
    assert.equal(await get("/locked?cert=e"), "200 e.example.com true");
    assert.deepEqual([await get("/outer/1?cert=e"), await get("/outer/2?cert=1")], ["200 e.example.com true", "200 1.example.com true"]);
    assert.equal(await get("/whole"), "200 nobody false");
    assert.match(await get("/?cert=e"), /^500 /);
    assert.match(await get("/?cert=nx"), /^500 /);
    await until(() => /\[error\] .*cannot load certificate "\S*nx\.example\.com\.pem": \S+ failed .*while connecting to upstream, client: 127\.0\.0\.1.*upstream: "https/.test(hawser.log), "the log to say so");
    if (isNginx) return;
    assert.match(await get("/?cert=../../etc/x"), /^500 /);
    await until(() => /etc\/x\.example\.com\.pem": open\(\) failed \(13: Permission denied\)/.test(hawser.log), "the log to say so");
    assert.doesNotMatch(hawser.log, /internal error/);
  });

  test("what is read is kept as proxy_ssl_certificate_cache says, but no locked key", { skip: isNginx }, async (t) => {
    const back = await nosyBackend(t);
    const hawser = await startConfig(
      t,
      ({ port }) => `worker_processes 1; http { server { listen 127.0.0.1:${port}; proxy_ssl_session_reuse off; proxy_http_version 1.0;
        proxy_ssl_certificate $arg_cert.example.com.pem; proxy_ssl_certificate_key $arg_cert.example.com.key; proxy_ssl_certificate_cache max=4 valid=1s;
        location / { proxy_pass https://127.0.0.1:${back}; }
        location /enc { proxy_pass https://127.0.0.1:${back}; proxy_ssl_password_file ${certificates().path("passwords")}; }
        location /nocache { proxy_pass https://127.0.0.1:${back}; proxy_ssl_certificate_cache off; }
        location /inactive { proxy_pass https://127.0.0.1:${back}; proxy_ssl_certificate_cache max=4 inactive=1s; } } }`,
    );
    const d = hawser.folder;
    copy(d, [...NAMES, "e.example.com"]);
    const get = async (path) => (await fetchText(hawser.url + path)).replace(/^500[^]*/, "500").split(" ").slice(0, 2).join(" ");
    assert.equal(await get("/?cert=1"), "200 1.example.com");
    replace(d, "1.example.com");
    assert.equal(await get("/?cert=1"), "200 1.example.com");
    assert.deepEqual([await get("/?cert=2"), await get("/?cert=3")], ["200 2.example.com", "200 3.example.com"]);
    assert.equal(await get("/?cert=1"), "500");
    replace(d, "2.example.com", "dummy");
    replace(d, "3.example.com");
    assert.deepEqual([await get("/?cert=2"), await get("/?cert=3")], ["200 2.example.com", "200 3.example.com"]);
    assert.equal(await get("/enc?cert=e"), "200 e.example.com");
    assert.equal(await get("/?cert=e"), "500", "the key is for those alone who know the password");
    assert.equal(await get("/nocache?cert=4"), "200 4.example.com");
    replace(d, "4.example.com", "dummy");
    assert.equal(await get("/nocache?cert=4"), "200 dummy");
    assert.equal(await get("/inactive?cert=5"), "200 5.example.com");
    await sleep(2100);
    assert.deepEqual([await get("/?cert=2"), await get("/?cert=3")], ["200 dummy", "500"]);
    replace(d, "5.example.com", "dummy");
    assert.equal(await get("/inactive?cert=5"), "200 dummy");
  });

  test("no connection and no session that one certificate has made is used for another", { skip: isNginx }, async (t) => {
    const [d, back] = [certificates().folder, await nosyBackend(t)];
    const hawser = await startConfig(
      t,
      ({ port }) => `worker_processes 1; http { upstream u { server 127.0.0.1:${back}; keepalive 8; } server { listen 127.0.0.1:${port}; proxy_http_version 1.1; proxy_set_header Connection "";
        proxy_ssl_certificate ${d}/$arg_cert.example.com.pem; proxy_ssl_certificate_key ${d}/$arg_cert.example.com.key;
        location / { proxy_pass https://u; } location /anew { proxy_pass https://u; proxy_set_header Connection close; } } }`,
    );
    assert.equal(await fetchText(`${hawser.url}/?cert=1`), "200 1.example.com true full 1");
    assert.equal(await fetchText(`${hawser.url}/?cert=2`), "200 2.example.com true full 1");
    assert.equal(await fetchText(`${hawser.url}/?cert=1`), "200 1.example.com true full 2");
    assert.equal(await fetchText(`${hawser.url}/?cert=2`), "200 2.example.com true full 2");
  });

  test("sessions likewise", async (t) => {
    const [d, back] = [certificates().folder, await nosyBackend(t)];
    const hawser = await startConfig(
      t,
      ({ port }) => `worker_processes 1; http { server { listen 127.0.0.1:${port}; proxy_http_version 1.0; proxy_ssl_protocols TLSv1.2;
        proxy_ssl_certificate ${d}/$arg_cert.example.com.pem; proxy_ssl_certificate_key ${d}/$arg_cert.example.com.key;
        location / { proxy_pass https://127.0.0.1:${back}; } } }`,
    );
    const get = async (n) => (await fetchText(`${hawser.url}/?cert=${n}`)).split(" ").slice(1, 4).join(" ");
    assert.equal(await get(1), "1.example.com true full");
    assert.match(await get(1), /^1.example.com .* resumed$/);
    if (isNginx) return;
    assert.equal(await get(2), "2.example.com true full");
    assert.match(await get(2), /^2.example.com .* resumed$/);
  });

  test("stream, with and without a PROXY line before it", { skip: isNginx }, async (t) => {
    const d = certificates().folder;
    const server = tls.createServer({ cert: made.read("one.pem"), key: made.read("one.key"), ca: made.read("root.pem"), requestCert: true, rejectUnauthorized: false }, (socket) =>
      socket.end(socket.getPeerCertificate().subject?.CN || "nobody"),
    );
    const options = { isServer: true, cert: made.read("one.pem"), key: made.read("one.key"), ca: made.read("root.pem"), requestCert: true, rejectUnauthorized: false };
    const proxied = net.createServer((socket) => {
      socket.once("readable", () => {
        const first = socket.read()?.toString("latin1") ?? "";
        const end = first.indexOf("\r\n") + 2;
        if (end < first.length) socket.unshift(Buffer.from(first.slice(end), "latin1"));
        const secure = new tls.TLSSocket(socket, options);
        secure.once("secure", () => secure.end(secure.getPeerCertificate().subject?.CN || "nobody")).on("error", () => {});
      });
      socket.on("error", () => {});
    });
    for (const one of [server, proxied]) await new Promise((done) => one.listen(0, "127.0.0.1", done));
    t.after(() => [server, proxied].forEach((one) => one.close()));
    const ports = await Promise.all(Array.from({ length: 4 }, freePort));
    const pass = (port, name, rest = "") => `server { listen 127.0.0.1:${port}; proxy_ssl on; proxy_ssl_certificate ${d}/${name}.pem; proxy_ssl_certificate_key ${d}/$which.key; ${rest} }`;
    const hawser = await startConfig(
      t,
      `stream { map $server_port $which { ${ports[0]} 1.example.com; ${ports[1]} nx; ${ports[2]} 2.example.com; default e.example.com; } proxy_ssl_session_reuse off;
        ${pass(ports[0], "$which", `proxy_pass 127.0.0.1:${server.address().port};`)} ${pass(ports[1], "$which", `proxy_pass 127.0.0.1:${server.address().port};`)}
        ${pass(ports[2], "$which", `proxy_pass 127.0.0.1:${proxied.address().port}; proxy_protocol on;`)}
        ${pass(ports[3], "$which", `proxy_pass 127.0.0.1:${server.address().port}; proxy_ssl_password_file ${d}/passwords;`)} }`,
      { port: ports[0] },
    );
    const say = (port) =>
      new Promise((resolve) => {
        let text = "";
        const socket = net.connect(port, "127.0.0.1", () => {});
        socket.on("data", (bytes) => (text += bytes)).once("close", () => resolve(text)).on("error", () => {});
      });
    assert.equal(await say(ports[0]), "1.example.com");
    assert.equal(await say(ports[1]), "");
    assert.equal(await say(ports[2]), "2.example.com");
    assert.equal(await say(ports[3]), "e.example.com");
    await until(() => /cannot load certificate "\S*nx\.pem".*upstream: "127\.0\.0\.1/.test(hawser.log), "the log to say so");
  });
});
