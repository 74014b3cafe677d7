"use strict";
// Who may pass: by address, and what the client's address is behind proxies.

const assert = require("node:assert");
const { describe, test } = require("node:test");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const tls = require("node:tls");
const { execFileSync } = require("node:child_process");
const { sleep, until } = require("./lib/base.js");
const { startConfig } = require("./lib/hawser.js");
const { ask, connect, startRawBackend } = require("./lib/wire.js");

const get = (target, ...lines) => `GET ${target} HTTP/1.0\r\nHost: h\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
const fetched = async (t, hawser, target, ...lines) => ask(t, hawser.port, get(target, ...lines));

describe("the client's address", () => {
  const config = ({ port, folder }) => `http {
    add_header X-IP $remote_addr; add_header X-Before "$realip_remote_addr $realip_remote_port"; add_header X-Port "[$remote_port]";
    set_real_ip_from 127.0.0.1/32; set_real_ip_from 10.0.1.0/24;
    server { listen 127.0.0.1:${port}; root ${folder};
      location / { }
      location /custom { real_ip_header X-Real-IP-Custom; }
      location /last { real_ip_header X-Forwarded-For; }
      location /all { real_ip_header X-Forwarded-For; real_ip_recursive on; }
      location /nobody { set_real_ip_from 192.0.2.77; } }
    server { listen 127.0.0.1:${port}; server_name early; real_ip_header X-Forwarded-For; return 204; } }`;
  const start = (t) => startConfig(t, config, { files: { "index.html": "", custom: "", last: "", all: "", nobody: "" } });

  test("is what a trusted proxy's field says", async (t) => {
    const hawser = await start(t);
    const ip = async (...request) => (await fetched(t, hawser, ...request)).get("x-ip");
    assert.equal(await ip("/"), "127.0.0.1");
    assert.equal(await ip("/", "X-Real-IP: 192.0.2.1"), "192.0.2.1");
    assert.equal(await ip("/custom", "X-Real-IP-Custom: 192.0.2.1"), "192.0.2.1");
    assert.equal(await ip("/", "X-Real-IP: 2001:db8::1"), "2001:db8::1");
    assert.equal(await ip("/", "X-Real-IP: nonsense"), "127.0.0.1");
    assert.equal(await ip("/nobody", "X-Real-IP: 192.0.2.1"), "192.0.2.1", "the server's level came first");
  });

  test("may have a port, and the connection's own is kept", async (t) => {
    const hawser = await start(t);
    for (const [field, port] of [["192.0.2.1:4711", "[4711]"], ["192.0.2.1", "[]"], ["[2001:db8::1]:80", "[80]"]]) {
      const answer = await fetched(t, hawser, "/", `X-Real-IP: ${field}`);
      assert.equal(answer.get("x-port"), port);
      assert.match(answer.get("x-before"), /^127\.0\.0\.1 \d+$/);
    }
  });

  test("is sought in X-Forwarded-For as far as trust reaches", async (t) => {
    const hawser = await startConfig(t, ({ port, folder }) => `http {
      add_header X-IP $remote_addr; server { listen 127.0.0.1:${port}; root ${folder}; real_ip_header X-Forwarded-For;
      location /last { set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.1.0/24; }
      location /all { set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.1.0/24; real_ip_recursive on; } } }`,
      { files: { last: "", all: "" } });
    const ip = async (target, ...lists) =>
      (await fetched(t, hawser, target, ...lists.map((list) => `X-Forwarded-For: ${list}`))).get("x-ip");
    assert.equal(await ip("/last", "10.0.0.1, 192.0.2.1"), "192.0.2.1");
    assert.equal(await ip("/last", "192.0.2.1, 10.0.1.1, 127.0.0.1"), "127.0.0.1");
    assert.equal(await ip("/all", "10.0.1.1, 192.0.2.1, 127.0.0.1"), "192.0.2.1");
    assert.equal(await ip("/last", "192.0.2.1", "127.0.0.1, 10.0.1.1"), "10.0.1.1");
    assert.equal(await ip("/all", "10.0.1.1", "192.0.2.1", "127.0.0.1"), "192.0.2.1");
    assert.equal(await ip("/all", "192.0.2.1, 10.0.1.1", "nonsense"), "127.0.0.1");
    assert.equal(await ip("/all", "nonsense, 10.0.1.1"), "10.0.1.1");
  });

  test("is found before the server's own return", async (t) => {
    const hawser = await start(t);
    const answer = await ask(t, hawser.port, "GET / HTTP/1.0\r\nHost: early\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n");
    assert.equal(answer.status, 204);
    assert.equal(answer.get("x-ip"), "192.0.2.1");
  });
});

describe("allow and deny", () => {
  const config = ({ port, folder }) => `http { set_real_ip_from 127.0.0.1;
    server { listen 127.0.0.1:${port}; listen unix:${folder}/sock; root ${folder};
      location / { }
      location /office { allow 192.0.2.0/24; allow 2001:db8::/32; deny all; location /office/inner { } location /office/open { allow all; } }
      location /not { deny 192.0.2.1; deny unix:; } } }`;
  const files = { "index.html": "x", office: "x", "not": "x" };

  test("the first rule that has the client decides", async (t) => {
    const hawser = await startConfig(t, config, { files });
    const status = async (target, ip) => (await fetched(t, hawser, target, ...(ip ? [`X-Real-IP: ${ip}`] : []))).status;
    assert.equal(await status("/office"), 403);
    for (const ip of ["192.0.2.200", "2001:db8:1::2", "::ffff:192.0.2.4"]) assert.equal(await status("/office", ip), 200, ip);
    for (const ip of ["192.0.3.1", "2001:db9::1"]) assert.equal(await status("/office", ip), 403, ip);
    assert.equal(await status("/office/inner"), 403);
    assert.equal(await status("/office/open"), 404);
    assert.equal(await status("/not", "192.0.2.1"), 403);
    assert.equal(await status("/not", "192.0.2.2"), 200);
    await until(() => /\[error\] \d+#\d+: \*\d+ access forbidden by rule, client: 192\.0\.3\.1, /.test(hawser.log), "the log's line");
  });
});

describe("the PROXY protocol", () => {
  const config = ({ port, folder }) => `error_log stderr info; http { log_format pp $remote_addr:$remote_port;
    add_header X-IP $remote_addr!$remote_port; add_header X-PP $proxy_protocol_addr!$proxy_protocol_port;
    add_header X-PPS $proxy_protocol_server_addr!$proxy_protocol_server_port; add_header X-TLV "$proxy_protocol_tlv_alpn-$proxy_protocol_tlv_ssl_version-$proxy_protocol_tlv_0xae";
    server { listen 127.0.0.1:${port} proxy_protocol; root ${folder}; set_real_ip_from 127.0.0.1/32; client_header_timeout 1s;
      location /pp { real_ip_header proxy_protocol; location /pp4 { deny 192.0.2.1/32; access_log ${folder}/pp.log pp; } location /pp6 { deny 2001:DB8::1/128; } }
      location / { } } }`;
  const files = { t1: "SEE-THIS", pp: "SEE-THIS" };
  const tcp4 = "PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\n";
  const tcp6 = "PROXY TCP6 2001:Db8::1 2001:Db8::2 123 5678\r\n";
  const signature = "\r\n\r\n\0\r\nQUIT\n";
  const ends = "\xc0\0\x02\x01\xc0\0\x02\x02\0\x7b\x16\x2e";
  const tlvs = "\x01\0\x02h2\x20\0\x0f\x01\0\0\0\0\x21\0\x07TLSv1.2\xae\0\x05" + "12345";
  const v2 = (body, command = "\x21\x11") => `${signature}${command}\0${String.fromCharCode(body.length)}${body}`;

  test("names the client, which realip may take", async (t) => {
    const hawser = await startConfig(t, config, { files });
    for (const [header, addr, server] of [[tcp4, "192.0.2.1!123", "192.0.2.2!5678"], [tcp6, "2001:db8::1!123", "2001:db8::2!5678"], [v2(ends), "192.0.2.1!123", "192.0.2.2!5678"],
      ["PROXY UNKNOWN\r\n", "!", "!"], ["PROXY UNKNOWN 1 2 3 4 5 6\r\n", "!", "!"], [v2("", "\x20\0"), "!", "!"], [v2("1234", "\x21\x41"), "!", "!"]]) {
      const answer = await ask(t, hawser.port, header + get("/t1"));
      assert.equal(answer.body, "SEE-THIS", JSON.stringify(header));
      assert.deepEqual([answer.get("x-pp"), answer.get("x-pps")], [addr, server]);
      assert.match(answer.get("x-ip"), /^127\.0\.0\.1!\d+$/);
      const real = await ask(t, hawser.port, header + get("/pp"));
      assert.match(real.get("x-ip"), addr === "!" ? /^127\.0\.0\.1!\d+$/ : new RegExp(`^${addr}$`));
    }
    assert.equal((await ask(t, hawser.port, v2(ends + tlvs) + get("/t1"))).get("x-tlv"), "h2-TLSv1.2-12345");
    assert.equal((await ask(t, hawser.port, tcp4 + get("/pp4"))).status, 403);
    assert.equal((await ask(t, hawser.port, tcp6 + get("/pp6"))).status, 403);
    assert.equal((await ask(t, hawser.port, tcp6 + get("/pp4"))).status, 404);
    await until(() => fs.readFileSync(path.join(hawser.folder, "pp.log"), "latin1") === "192.0.2.1:123\n2001:db8::1:123\n", "the access log");
  });

  test("may come in pieces, holds for the connection, and is required", async (t) => {
    const hawser = await startConfig(t, config, { files });
    for (const header of [tcp4, v2(ends + tlvs)]) {
      const wire = await connect(t, hawser.port);
      for (const byte of header) wire.write(byte), await sleep(1);
      for (let i = 0; i < 2; i++) {
        wire.write("GET /t1 HTTP/1.1\r\nHost: h\r\n\r\n");
        assert.equal((await wire.takeResponse()).get("x-pp"), "192.0.2.1!123");
      }
    }
    for (const text of [get("/t1"), "PROXY TCP4 1 2 3 4\r\n" + get("/t1"), v2(ends.slice(1)) + get("/t1")]) {
      const wire = await connect(t, hawser.port);
      wire.write(text);
      assert.equal(await wire.ended(3000), "");
    }
    await until(() => /\[error\] \d+#\d+: \*\d+ broken header: "GET \/t1 HTTP\/1\.0" while reading PROXY protocol, client: 127\.0\.0\.1, server: 127\.0\.0\.1:\d+/.test(hawser.log), "the log's line");
    const silent = await connect(t, hawser.port);
    silent.write("PROXY TC");
    assert.equal(await silent.ended(3000), "");
  });
});

describe("the PROXY protocol and TLS", () => {
  test("the header comes first, in the clear", async (t) => {
    const hawser = await startConfig(t, ({ port, folder }) => {
      execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", `${folder}/key.pem`,
        "-out", `${folder}/cert.pem`, "-subj", "/CN=h", "-days", "2"], { stdio: "ignore" });
      return `http { add_header X-PP "$scheme $proxy_protocol_addr"; server { listen 127.0.0.1:${port} ssl proxy_protocol; root ${folder};
        ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem; } }`;
    }, { files: { t1: "SEE-THIS" } });
    for (const inOne of [true, false]) {
      const socket = net.connect(hawser.port, "127.0.0.1");
      t.after(() => socket.destroy());
      socket.setNoDelay(true);
      if (inOne) socket.cork(); // with the ClientHello in the same segment
      socket.write("PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\n");
      if (!inOne) await sleep(50);
      const secure = tls.connect({ socket, servername: "h", rejectUnauthorized: false });
      setImmediate(() => socket.uncork());
      let got = "";
      secure.on("data", (bytes) => (got += bytes));
      secure.write("GET /t1 HTTP/1.0\r\nHost: h\r\n\r\n");
      await until(() => got.includes("SEE-THIS"), () => `the answer, have ${JSON.stringify(got)}`);
      assert.match(got, /X-PP: https 192\.0\.2\.1\r\n/);
    }
  });
});

describe("the PROXY protocol and streams", () => {
  test("a stream begins behind the header", async (t) => {
    const backend = await startRawBackend(t, async (wire) => wire.write(`got ${await wire.takeTo("\n")}`));
    const hawser = await startConfig(t, ({ port, folder }) => `stream { log_format s "$remote_addr $proxy_protocol_addr"; access_log ${folder}/s.log s;
      server { listen 127.0.0.1:${port} proxy_protocol; proxy_pass 127.0.0.1:${backend.port}; } }`);
    for (const text of ["PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\nhello\n", "PROXY UNKNOWN\r\nhello\n"]) {
      const wire = await connect(t, hawser.port);
      wire.write(text);
      assert.equal(await wire.takeTo("\n"), "got hello\n");
      wire.destroy();
    }
    const wire = await connect(t, hawser.port);
    wire.write("hello\n");
    assert.equal(await wire.ended(3000), "");
    await until(() => fs.readFileSync(path.join(hawser.folder, "s.log"), "latin1") === "127.0.0.1 192.0.2.1\n127.0.0.1 -\n", "the access log");
  });
});
