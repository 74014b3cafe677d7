"use strict";
// Streams: connections that are passed on as they are.

const assert = require("node:assert");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const tls = require("node:tls");
const { execFileSync } = require("node:child_process");
const { describe, test } = require("node:test");
const { until, freePort, tempFolder, inBatches } = require("./lib/base.js");
const { startConfig } = require("./lib/hawser.js");
const { Node, startNodes } = require("./lib/nodes.js");
const { joinClient, echo } = require("./lib/sio.js");
const { connect, startRawBackend } = require("./lib/wire.js");

/* Says its name and gives back what it is told; ends when the other side does. */
const startEcho = (t, name) =>
  startRawBackend(t, async (wire) => {
    wire.write(`${name}\n`);
    wire.socket.on("data", (bytes) => wire.socket.write(bytes));
    await wire.ended(60000);
    wire.end();
  });
const startEchos = (t, names) => Promise.all([...names].map((name) => startEcho(t, name)));
const servers = (all, more = "") => all.map(({ port }) => `server 127.0.0.1:${port}${more};`).join(" ");
const nameOf = async (t, port) => (await connect(t, port)).takeTo("\n").then((line) => line.trim());
const logOf = (hawser, lines = 1) =>
  until(() => {
    const text = fs.existsSync(path.join(hawser.folder, "s.log")) ? fs.readFileSync(path.join(hawser.folder, "s.log"), "latin1") : "";
    return text.split("\n").length > lines && text.trim().split("\n");
  }, "lines in the log");

describe("stream", () => {
  for (const word of ["stream", "tcp"]) {
    test(`${word} { }: raw bytes both ways, round robin over four`, async (t) => {
      const echos = await startEchos(t, "abcd");
      const hawser = await startConfig(t, ({ port }) => `${word} { upstream four { ${servers(echos)} } server { listen 127.0.0.1:${port}; tcp_nodelay on; proxy_pass four; } }`);
      const names = await inBatches(8, 1, () => nameOf(t, hawser.port));
      assert.deepEqual([...names].sort(), [..."aabbccdd"]);
      const wire = await connect(t, hawser.port);
      await wire.takeTo("\n");
      const block = "\0\r\n\xff".repeat(100000);
      wire.write(block);
      assert.equal(await wire.take(block.length, 10000), block);
    });
  }

  test("real Socket.IO through TCP, long-polling too where the address chooses the node", async (t) => {
    const nodes = await startNodes(t);
    const hawser = await startConfig(t, ({ port }) => `stream { upstream nodes { hash $remote_addr consistent; ${servers(nodes)} } server { listen 127.0.0.1:${port}; proxy_pass nodes; } }`);
    for (const mode of ["polling", "websocket", "upgrading"]) {
      const client = await joinClient(t, hawser.url, { mode });
      assert.equal((await echo(client, "hello")).value, "hello");
      assert.deepEqual(client.errors, []);
    }
  });

  test("a server that refuses is passed over; with none left the connection ends, and the log says why", async (t) => {
    const [a] = await startEchos(t, "a");
    const dead = await freePort();
    const hawser = await startConfig(t, ({ port, folder }) => `stream { log_format s '$protocol $status $upstream_addr $bytes_sent $bytes_received'; access_log ${folder}/s.log s;
      upstream two { server 127.0.0.1:${dead}; ${servers([a])} } server { listen 127.0.0.1:${port}; proxy_pass two; } }`);
    for (let i = 0; i < 4; i++) {
      const wire = await connect(t, hawser.port);
      assert.equal(await wire.takeTo("\n"), "a\n");
      wire.write("12345");
      await wire.take(5);
      wire.end();
      await wire.ended();
    }
    const lines = await logOf(hawser, 5); // the first is of the connection that found it up
    assert.ok(lines[0].startsWith(`TCP 200 127.0.0.1:${dead}, 127.0.0.1:${a.port} `), lines.join("\n"));
    for (const line of lines.slice(1)) assert.equal(line, `TCP 200 127.0.0.1:${a.port} 7 5`);
    assert.match(hawser.log, /connect\(\) failed \(111: Connection refused\) while connecting to upstream/);
    const only = await startConfig(t, ({ port, folder }) => `stream { log_format s '$status'; access_log ${folder}/s.log s; server { listen 127.0.0.1:${port}; proxy_pass 127.0.0.1:${dead}; } }`);
    const wire = await connect(t, only.port);
    assert.equal(await wire.ended(), "");
    assert.deepEqual(await logOf(only, 2), ["502", "502"]);
  });

  test("proxy_timeout, proxy_half_close, return, allow and deny", async (t) => {
    const quiet = await startRawBackend(t, async (wire) => {
      wire.write("up\n");
      const text = await wire.ended(60000);
      wire.end(`got ${text.length}\n`);
    });
    const [idle, half, whole, says, closed] = await inBatches(5, 1, freePort);
    const hawser = await startConfig(t, ({ port }) => `stream { upstream quiet { ${servers([quiet])} } server { listen 127.0.0.1:${port}; proxy_pass quiet; }
      server { listen 127.0.0.1:${idle}; proxy_timeout 300ms; proxy_pass quiet; }
      server { listen 127.0.0.1:${half}; proxy_half_close on; proxy_pass quiet; }
      server { listen 127.0.0.1:${whole}; proxy_pass quiet; }
      server { listen 127.0.0.1:${says}; return "you are $remote_addr by $protocol\\n"; }
      server { listen 127.0.0.1:${closed}; deny all; proxy_pass quiet; } }`);
    const slow = await connect(t, idle);
    await slow.takeTo("\n");
    await slow.ended(5000);
    const halves = await connect(t, half);
    await halves.takeTo("\n");
    halves.end("12345");
    assert.equal(await halves.ended(), "got 5\n");
    const wholes = await connect(t, whole);
    await wholes.takeTo("\n");
    wholes.end("12345");
    assert.equal(await wholes.ended(), "", "without half-close the client's end is the end");
    assert.equal(await (await connect(t, says)).ended(), "you are 127.0.0.1 by TCP\n");
    assert.equal(await (await connect(t, closed)).ended(), "");
    assert.match(hawser.log, /access forbidden by rule/);
  });

  test("proxy_upload_rate and proxy_download_rate: a second's worth at once, and then so much a second", async (t) => {
    const sink = await startRawBackend(t, async (wire) => {
      if ((await wire.takeTo("\n")) === "down\n") wire.end("x".repeat(30000));
      else wire.end(`${await wire.take(30000, 20000)}`.length + "\n");
    });
    const [slow] = await inBatches(1, 1, freePort);
    const hawser = await startConfig(t, ({ port }) => `stream { map $server_port $rate { ${slow} 20k; default 0; }
      server { listen 127.0.0.1:${port}; listen 127.0.0.1:${slow}; proxy_upload_rate $rate; proxy_download_rate $rate; proxy_timeout 1s; proxy_pass 127.0.0.1:${sink.port}; } }`);
    const took = async (port, say, more) => {
      const wire = await connect(t, port);
      const begin = Date.now();
      wire.write(say + more);
      const got = await wire.ended(20000);
      assert.equal(got, more ? "30000\n" : "x".repeat(30000));
      return Date.now() - begin;
    };
    assert.ok((await took(hawser.port, "down\n", "")) < 900, "without a rate");
    for (const [say, more] of [["down\n", ""], ["up\n", "x".repeat(30000)]]) {
      const ms = await took(slow, say, more);
      assert.ok(ms >= 950 && ms < 5000, `30,000 bytes at 20k a second took ${ms} ms`);
    }
  });

  test("proxy_protocol on sends a PROXY line first", async (t) => {
    const seen = [];
    const backend = await startRawBackend(t, async (wire) => {
      seen.push(await wire.takeTo("\r\n"));
      wire.end(await wire.take(4));
    });
    const hawser = await startConfig(t, ({ port }) => `stream { server { listen 127.0.0.1:${port}; proxy_protocol on; proxy_pass 127.0.0.1:${backend.port}; } }`);
    const wire = await connect(t, hawser.port, { localAddress: "127.0.0.9" });
    const { localPort } = wire.socket;
    wire.write("ping");
    assert.equal(await wire.take(4), "ping");
    assert.ok(seen.includes(`PROXY TCP4 127.0.0.9 127.0.0.1 ${localPort} ${hawser.port}\r\n`), seen.join("")); // others are of whoever looked whether it listens
  });

  test("proxy_bind, proxy_protocol_timeout, and health_check with what is sent and expected", async (t) => {
    const seen = [];
    const backends = await Promise.all([0, 1].map((i) => startRawBackend(t, async (wire) => {
      seen.push(wire.socket.remoteAddress);
      wire.write("name?\n");
      if ((await wire.takeTo("\n")) === "are you there\n") wire.end(`${["yes", "no"][i]}\n`);
      else wire.end(`${i}\n`);
    })));
    const [proxied] = await inBatches(1, 1, freePort);
    const hawser = await startConfig(t, ({ port }) => `error_log stderr notice; stream { match there { send "are you there\\n"; expect ~ "yes"; }
      upstream both { zone both 64k; ${servers(backends)} }
      server { listen 127.0.0.1:${port}; proxy_bind 127.0.0.3; proxy_pass both; health_check interval=200ms passes=1 fails=1 match=there; health_check_timeout 2s; }
      server { listen 127.0.0.1:${proxied} proxy_protocol; proxy_protocol_timeout 300ms; proxy_pass both; } }`);
    await until(() => hawser.log.includes(`127.0.0.1:${backends[1].port} of "both (stream)" is down`), () => hawser.log, 10000);
    for (let i = 0; i < 4; i++) {
      const wire = await connect(t, hawser.port);
      await wire.takeTo("\n");
      wire.write("who\n");
      assert.equal(await wire.takeTo("\n"), "0\n");
    }
    assert.ok(seen.includes("127.0.0.3"));
    const begin = Date.now();
    await (await connect(t, proxied)).ended(5000);
    assert.ok(Date.now() - begin >= 250);
  });

  test("proxy_protocol v2 sends a header of version 2", async (t) => {
    const backend = await startRawBackend(t, async (wire) => {
      wire.header = Buffer.from(await wire.take(28), "latin1");
      wire.end(await wire.take(4));
    });
    const hawser = await startConfig(t, ({ port }) => `stream { server { listen 127.0.0.1:${port}; proxy_protocol v2; proxy_pass 127.0.0.1:${backend.port}; } }`);
    const wire = await connect(t, hawser.port, { localAddress: "127.0.0.9" });
    wire.write("ping");
    assert.equal(await wire.take(4), "ping");
    const { header } = backend.wires.at(-1);
    assert.equal(header.subarray(0, 12).toString("latin1"), "\r\n\r\n\0\r\nQUIT\n");
    assert.deepEqual([...header.subarray(12, 24)], [0x21, 0x11, 0, 12, 127, 0, 0, 9, 127, 0, 0, 1]);
    assert.deepEqual([header.readUInt16BE(24), header.readUInt16BE(26)], [wire.socket.localPort, hawser.port]);
  });

  test("with proxy_ssl the PROXY line goes first, and TLS begins behind it", async (t) => {
    const folder = tempFolder(t);
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", `${folder}/key`, "-out", `${folder}/cert`, "-days", "1", "-subj", "/CN=x"], { stdio: "ignore" });
    const seen = [];
    const server = net.createServer((socket) => {
      socket.once("readable", () => {
        const first = socket.read().toString("latin1");
        const end = first.indexOf("\r\n") + 2;
        seen.push(first.slice(0, end));
        if (end < first.length) socket.unshift(Buffer.from(first.slice(end), "latin1"));
        const secure = new tls.TLSSocket(socket, { isServer: true, key: fs.readFileSync(`${folder}/key`), cert: fs.readFileSync(`${folder}/cert`) });
        secure.on("data", (bytes) => secure.end(`tls ${bytes}`)).on("error", () => {});
      });
      socket.on("error", () => {});
    });
    t.after(() => server.close());
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const hawser = await startConfig(t, ({ port }) => `stream { server { listen 127.0.0.1:${port}; proxy_protocol on; proxy_ssl on; proxy_pass 127.0.0.1:${server.address().port}; } }`);
    const wire = await connect(t, hawser.port);
    const { localPort } = wire.socket;
    wire.write("ping");
    assert.equal(await wire.ended(), "tls ping");
    assert.ok(seen.includes(`PROXY TCP4 127.0.0.1 127.0.0.1 ${localPort} ${hawser.port}\r\n`), seen.join("")); // others are of whoever looked whether it listens
  });

  test("listen proxy_protocol with set_real_ip_from, limit_conn, set, and who is told what", async (t) => {
    const [a] = await startEchos(t, "a");
    const [proxied, limited] = await inBatches(2, 1, freePort);
    const hawser = await startConfig(t, ({ port, folder }) => `error_log stderr info; stream {
      log_format s '$status $remote_addr $realip_remote_addr $server_addr $proxy_protocol_port $limit_conn_status $where $upstream_addr $upstream_bytes_sent $upstream_bytes_received'; access_log ${folder}/s.log s;
      limit_conn_zone $binary_remote_addr zone=each:64k;
      geo $near { 10.0.0.0/8 near; default far; }
      server { listen 127.0.0.1:${port}; set $where $near; proxy_pass 127.0.0.1:${a.port}; }
      server { listen 127.0.0.1:${proxied} proxy_protocol; set_real_ip_from 127.0.0.1; set $where $near-$protocol; allow 10.1.2.3; deny all; proxy_pass 127.0.0.1:${a.port}; }
      server { listen 127.0.0.1:${limited}; limit_conn each 1; set $where x; proxy_pass 127.0.0.1:${a.port}; } }`);
    const talk = async (port, first) => {
      const wire = await connect(t, port);
      wire.write(first);
      await wire.takeTo("hello");
      wire.end();
      await wire.ended();
    };
    await talk(proxied, "PROXY TCP4 10.1.2.3 10.9.9.9 4567 80\r\nhello");
    await logOf(hawser, 2);
    const denied = await connect(t, proxied);
    denied.write("PROXY TCP4 10.1.2.4 10.9.9.9 4567 80\r\nhello");
    assert.equal(await denied.ended(), "");
    const broken = await connect(t, proxied);
    broken.write("hello there\r\n");
    assert.equal(await broken.ended(), "");
    const one = await connect(t, limited);
    await one.takeTo("\n");
    assert.equal(await (await connect(t, limited)).ended(), "");
    one.end();
    await one.ended();
    const lines = (await logOf(hawser, 5)).filter((line) => !line.includes(" far ")); // those of the port that was looked at first
    const peer = `127.0.0.1:${a.port}`;
    assert.deepEqual(lines.slice(0, 2), [`200 10.1.2.3 127.0.0.1 127.0.0.1 4567 - near-TCP ${peer} 5 7`, `403 10.1.2.4 127.0.0.1 127.0.0.1 4567 - near-TCP - - -`]);
    assert.deepEqual(lines.slice(-2), [`503 127.0.0.1 127.0.0.1 127.0.0.1 - REJECTED x - - -`, `200 127.0.0.1 127.0.0.1 127.0.0.1 - PASSED x ${peer} 0 2`]);
    for (const words of [/client 127\.0\.0\.1:\d+ connected to 127/, /proxy 127\.0\.0\.1:\d+ connected to 127/, /client disconnected, bytes from\/to client:5\/7, bytes from\/to upstream:7\/5/, /\[error\] .* limiting connections by zone "each", client: 127/, /broken header: "hello there"/])
      assert.match(hawser.log, words);
  });

  test("ssl_preread tells connections apart by their name and ALPN, without ending TLS", async (t) => {
    const folder = tempFolder(t);
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", `${folder}/key`, "-out", `${folder}/cert`, "-days", "1", "-subj", "/CN=x"], { stdio: "ignore" });
    const secure = (name) =>
      new Promise((resolve) => {
        const server = tls.createServer({ key: fs.readFileSync(`${folder}/key`), cert: fs.readFileSync(`${folder}/cert`), ALPNProtocols: ["h2", "http/1.1"] }, (socket) => socket.end(`${name} ${socket.servername} ${socket.alpnProtocol}`));
        t.after(() => server.close());
        server.listen(0, "127.0.0.1", () => resolve(server.address().port));
      });
    const [a, b, c] = [await secure("a"), await secure("b"), await secure("c")];
    const hawser = await startConfig(t, ({ port, folder }) => `stream { map $ssl_preread_server_name:$ssl_preread_alpn_protocols $to { ~^a\\.example a; ~:h2 c; default b; }
      upstream a { server 127.0.0.1:${a}; } upstream b { server 127.0.0.1:${b}; } upstream c { server 127.0.0.1:${c}; }
      log_format s '$ssl_preread_server_name $ssl_preread_protocol $ssl_preread_alpn_protocols'; access_log ${folder}/s.log s;
      server { listen 127.0.0.1:${port}; ssl_preread on; preread_timeout 2s; proxy_pass $to; } }`);
    const say = (options) =>
      new Promise((resolve, reject) => {
        const socket = tls.connect({ port: hawser.port, host: "127.0.0.1", rejectUnauthorized: false, ...options }, () => {});
        let text = "";
        socket.on("data", (bytes) => (text += bytes)).on("end", () => resolve(text)).on("error", reject);
      });
    assert.equal(await say({ servername: "A.example" }), "a A.example false");
    assert.equal(await say({ servername: "z.example" }), "b z.example false");
    assert.equal(await say({ servername: "z.example", ALPNProtocols: ["h2", "http/1.1"] }), "c z.example h2");
    const lines = await logOf(hawser, 4);
    assert.deepEqual(lines, ["- - -", "a.example TLSv1.3 -", "z.example TLSv1.3 -", "z.example TLSv1.3 h2,http/1.1"]);
  });

  test("listen ssl, with the site by its name, and proxy_ssl towards the servers", async (t) => {
    const folder = tempFolder(t);
    for (const name of ["a", "b"])
      execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", `${folder}/${name}.key`, "-out", `${folder}/${name}.pem`, "-days", "1", "-subj", `/CN=${name}.example`], { stdio: "ignore" });
    const back = await new Promise((resolve) => {
      const server = tls.createServer({ key: fs.readFileSync(`${folder}/a.key`), cert: fs.readFileSync(`${folder}/a.pem`) }, (socket) => socket.on("data", (bytes) => socket.write(`tls ${bytes}`)).on("error", () => {}));
      t.after(() => server.close());
      server.listen(0, "127.0.0.1", () => resolve(server.address().port));
    });
    const plain = await startEcho(t, "plain");
    const site = (name, pass) => `server { listen 127.0.0.1:PORT ssl; server_name ${name}.example; ssl_certificate ${folder}/${name}.pem; ssl_certificate_key ${folder}/${name}.key; ${pass} }`;
    const hawser = await startConfig(t, ({ port }) => `stream { ${(site("a", `proxy_ssl on; proxy_pass 127.0.0.1:${back};`) + site("b", `proxy_pass 127.0.0.1:${plain.port};`)).replaceAll("PORT", port)} }`);
    const say = (servername) =>
      new Promise((resolve, reject) => {
        const socket = tls.connect({ port: hawser.port, host: "127.0.0.1", rejectUnauthorized: false, servername }, () => socket.write("ping"));
        let text = "";
        socket.on("error", reject).on("data", (bytes) => {
          text += bytes;
          if (text.includes("ping")) resolve(`${socket.getPeerCertificate().subject.CN}: ${text}`), socket.destroy();
        });
        socket.on("close", () => reject(new Error(`closed after "${text}":\n${hawser.log}`)));
      });
    assert.equal(await say("a.example"), "a.example: tls ping");
    assert.equal(await say("b.example"), "b.example: plain\nping");
  });

  test("the flow of nginx_tcp_proxy_module: four nodes, all down, all up, one killed, with raw bytes and real Socket.IO through it", async (t) => {
    const ports = await inBatches(4, 1, freePort);
    const [status] = await inBatches(1, 1, freePort);
    const hawser = await startConfig(t, ({ port }) => `error_log stderr notice;
      tcp {
        upstream websockets {
          ${ports.map((to) => `server 127.0.0.1:${to};`).join("\n")}
          check interval=200 rise=2 fall=5 timeout=1000 default_down=true;
        }
        server { listen 127.0.0.1:${port}; server_name _; tcp_nodelay on; proxy_pass websockets; }
      }
      http { server { listen 127.0.0.1:${status}; location /websocket_status { check_status; } } }`);
    const rows = async () => (await (await fetch(`http://127.0.0.1:${status}/websocket_status?format=csv`)).text()).trim().split("\n").map((line) => line.split(","));
    const states = async () => (await rows()).map((row) => row[3]).join(" ");
    const become = (wanted) => until(async () => (await states()) === wanted, () => `${wanted}:\n${hawser.log}`, 20000);
    assert.equal(await states(), "down down down down");
    assert.equal(await (await connect(t, hawser.port)).ended(), "", "nobody is there");
    assert.match(hawser.log, /no live upstreams while connecting to upstream, client: 127\.0\.0\.1, server: 127\.0\.0\.1:\d+, upstream: "websockets"/);
    const nodes = await Promise.all(ports.map(async (port, i) => {
      const node = new Node({ name: "abcd"[i] });
      node.port = port;
      t.after(() => node.kill());
      return node.start();
    }));
    await become("up up up up");
    const raw = await connect(t, hawser.port);
    raw.write("GET /socket.io/?EIO=4&transport=polling HTTP/1.0\r\nHost: a\r\n\r\n");
    assert.match(await raw.ended(), /^HTTP\/1\.[01] 200 OK[^]*"sid":/);
    const clients = await Promise.all([0, 1, 2, 3].map(() => joinClient(t, hawser.url, { mode: "websocket" })));
    const at = await Promise.all(clients.map(async (client) => (await echo(client, "hello")).node));
    assert.deepEqual([...at].sort(), ["a", "b", "c", "d"], "one after the other");
    await until(async () => (await rows()).every((row) => row[4] === "1"), "one connection each", 5000);
    await nodes[1].kill();
    await become("up down up up");
    await until(() => new RegExp(`127\\.0\\.0\\.1:${ports[1]} of "websockets.*" is down: .*\\(5 checks in a row\\)`).test(hawser.log), () => hawser.log);
    for (const [i, client] of clients.entries()) if (at[i] !== "b") assert.equal((await echo(client, "still")).value, "still");
    await nodes[1].start();
    await become("up up up up");
  });

  test("a reload keeps open connections; a check takes a dead server out", async (t) => {
    const echos = await startEchos(t, "ab");
    const config = ({ port }) => `error_log stderr notice; stream { upstream two { ${servers(echos)} check interval=100 rise=1 fall=2 timeout=500; } server { listen 127.0.0.1:${port}; proxy_pass two; } }`;
    const hawser = await startConfig(t, config);
    const wire = await connect(t, hawser.port);
    await wire.takeTo("\n");
    hawser.reload(config({ port: hawser.port }));
    await until(() => /reload|reconfigur|in force/i.test(hawser.log), () => hawser.log);
    wire.write("still");
    assert.equal(await wire.take(5), "still");
    await echos[0].close();
    await until(() => /127\.0\.0\.1:\d+ of .* is down/.test(hawser.log), () => hawser.log, 10000);
    assert.deepEqual(new Set(await inBatches(4, 1, () => nameOf(t, hawser.port))), new Set(["b"]));
  });
});
