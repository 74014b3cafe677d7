"use strict";
// Real Socket.IO clients.

const http = require("node:http");
const { io } = require("socket.io-client");
const io2 = require("socket.io-client-2");
const { within } = require("./base.js");

/* The three ways of connecting that users have. */
const MODES = {
  polling: { transports: ["polling"] },
  websocket: { transports: ["websocket"] },
  upgrading: { transports: ["polling", "websocket"] },
};

/* An agent whose every connection, thus every request, comes from another address of the loopback. */
let lastAddress = 0;
class WanderingAgent extends http.Agent {
  constructor() {
    super({ keepAlive: false });
    this.addresses = new Set();
  }
  createConnection(options, done) {
    const n = ++lastAddress;
    const localAddress = `127.${1 + (Math.floor(n / 62500) % 50)}.${Math.floor(n / 250) % 250}.${1 + (n % 250)}`;
    this.addresses.add(localAddress);
    return super.createConnection({ ...options, localAddress }, done);
  }
}

const agentAt = (localAddress) => new http.Agent({ keepAlive: false, localAddress });

/* A connected client: { socket, hello, mode, errors, reconnects }. Upgrading ones have upgraded. `v2` uses socket.io-client 2. */
async function joinClient(crew, url, { mode = "upgrading", agent, path, v2 = false, ms = 15000, ...rest } = {}) {
  const options = { ...MODES[mode], agent, path, forceNew: true, ...rest };
  const socket = v2 ? io2(url, options) : io(url, options);
  const client = { socket, mode, errors: [], losses: [], backs: [], hellos: [] };
  crew.after(() => socket.disconnect());
  const hello = new Promise((resolve) => {
    socket.on("hello", (value) => {
      client.hellos.push(value);
      client.hello = value;
      resolve(value);
    });
  });
  socket.on("connect_error", (error) => client.errors.push(String(error?.description?.message || error?.message || error)));
  socket.on("disconnect", (reason) => client.losses.push({ reason, at: performance.now() }));
  socket.on("connect", () => client.backs.push({ at: performance.now() }));
  const opened = new Promise((resolve) => socket.once("connect", resolve));
  await within(ms, Promise.all([opened, hello]), () => `a ${mode} client to join; ${client.errors}`);
  if (mode === "upgrading") await within(ms, upgraded(socket), `a client's upgrade; ${client.errors}`);
  return client;
}

function upgraded(socket) {
  const { engine } = socket.io;
  if (engine.transport.name === "websocket") return Promise.resolve();
  return new Promise((resolve) => engine.once("upgrade", resolve));
}

/* Sends a value and gives the node's answer. */
function echo(client, value, ms = 10000) {
  return within(ms, new Promise((resolve) => client.socket.emit("echo", value, resolve)), `an echo by ${client.mode}`);
}

function leave(client) {
  client.socket.disconnect();
}

module.exports = { MODES, WanderingAgent, agentAt, joinClient, echo, leave };
