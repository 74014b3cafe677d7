"use strict";
// A hawser with much to tell: four upstreams of twenty servers, and as many tunnels through them as are asked for.

const net = require("node:net");
const { inBatches, until } = require("./base.js");
const { startConfig } = require("./hawser.js");
const { handshake, switching } = require("./frames.js");
const { parseHead } = require("./wire.js");

const UPSTREAMS = ["chat", "games", "feed", "orders"];
const SERVERS = 20;

/* A backend that opens what wants to be a WebSocket, echoes there, and answers everything else; behave(request) may
 * give another answer. */
async function startBackend(crew, behave = () => undefined) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    let text = "";
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    socket.on("data", function heads(bytes) {
      text += bytes.toString("latin1");
      for (let end; (end = text.indexOf("\r\n\r\n")) >= 0; ) {
        const request = parseHead(text.slice(0, end + 4));
        text = text.slice(end + 4);
        if (request.get("upgrade")) {
          socket.write(switching(request), "latin1");
          socket.off("data", heads);
          socket.on("data", (more) => socket.write(more));
          return;
        }
        const answer = behave(request) ?? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        if (answer === "close") socket.destroy();
        else Promise.resolve(answer).then((said) => socket.write(said, "latin1"));
      }
    });
  });
  const listen = (port) => new Promise((resolve, reject) => server.once("error", reject).listen({ port, host: "127.0.0.1" }, resolve));
  await listen(0);
  const backend = {
    port: server.address().port,
    /* Ends, with all its connections; comes back on the same port. */
    async kill() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    revive: () => listen(backend.port),
  };
  backend.name = `127.0.0.1:${backend.port}`;
  crew.after(() => server.listening && backend.kill());
  return backend;
}

const LOCATIONS = `location = /status { check_status; } location = /table { check_status html; }
  location = /csv { tcp_check_status csv; } location = /json { check_status json; }
  location = /metrics { metrics; } location = /api { status_api; }`;

/* { hawser, backends: { chat: [...] } }; `check` is put into each upstream, `http` and `server` where they say. */
async function startWorld(crew, { servers = SERVERS, check = "", http = "", server = "", top = "", behave } = {}) {
  const backends = {};
  for (const name of UPSTREAMS) backends[name] = await inBatches(servers, 20, () => startBackend(crew, behave));
  const upstreams = UPSTREAMS.map((name) => `upstream ${name} { ${backends[name].map(({ port }) => `server 127.0.0.1:${port};`).join(" ")} ${check} }`);
  const locations = UPSTREAMS.map((name) => `location /${name} { proxy_pass http://${name}; }`);
  const hawser = await startConfig(
    crew,
    ({ port }) => `${top} error_log stderr notice; http { ${http} ${upstreams.join("\n")}
      server { listen 127.0.0.1:${port}; ${server} ${LOCATIONS} ${locations.join("\n")} } }`,
  );
  return { hawser, backends, all: Object.values(backends).flat() };
}

/* One tunnel: a socket after the 101. */
function openTunnel(crew, port, target) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.write(handshake({ target }), "latin1"));
    let text = "";
    socket.once("error", reject);
    socket.on("data", function head(bytes) {
      text += bytes.toString("latin1");
      if (!text.includes("\r\n\r\n")) return;
      socket.off("data", head);
      socket.off("error", reject);
      socket.on("error", () => {});
      socket.resume();
      if (text.startsWith("HTTP/1.1 101 ")) resolve(socket);
      else reject(new Error(text.slice(0, 500)));
    });
    crew.after(() => socket.destroy());
  });
}

const openTunnels = (crew, port, count) => inBatches(count, 50, (i) => openTunnel(crew, port, `/${UPSTREAMS[i % UPSTREAMS.length]}`));

/* Bytes through a tunnel and back. */
async function echo(socket, bytes) {
  let got = 0;
  const count = (chunk) => (got += chunk.length);
  socket.on("data", count);
  socket.write(Buffer.alloc(bytes, 0x61));
  await until(() => got === bytes, () => `${bytes} bytes back, have ${got}`);
  socket.off("data", count);
}

module.exports = { UPSTREAMS, SERVERS, LOCATIONS, startBackend, startWorld, openTunnel, openTunnels, echo };
