"use strict";
// One node of the demo: a plain Socket.IO server with a page. Nothing in here knows of hawser.

const fs = require("node:fs");
const http = require("node:http");
const path = require("node:path");
const { Server } = require("socket.io");
const { createAdapter } = require("@socket.io/cluster-adapter");

const HISTORY = 40;
const TEXT_MAX = 500;
const NAME_MAX = 24;

const name = process.env.NODE_NAME || `node-${process.pid}`;
const isForked = typeof process.send === "function";
const page = fs.readFileSync(path.join(__dirname, "page.html"));

const server = http.createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  if (pathname !== "/") {
    response.writeHead(404, { "Content-Type": "text/plain" }).end("not found\n");
    return;
  }
  response.writeHead(200, {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Length": page.length,
    "Cache-Control": "no-cache",
  });
  response.end(request.method === "HEAD" ? undefined : page);
});

const io = new Server(server, isForked ? { adapter: createAdapter() } : {});
const history = [];
const nodes = new Map(); // name -> { name, pid, people, isUp }

function remember(message) {
  history.push(message);
  if (history.length > HISTORY) history.shift();
}

function showNodes() {
  const list = [...nodes.values()].sort((a, b) => a.name.localeCompare(b.name));
  io.local.emit("nodes", list);
}

function note(node) {
  nodes.set(node.name, { ...nodes.get(node.name), ...node });
  showNodes();
}

const self = () => ({ name, pid: process.pid, people: io.of("/").sockets.size, isUp: true });

function countPeople() {
  note(self());
  io.serverSideEmit("node", self());
}

io.on("said", remember);
io.on("timed", (id, ms) => setTime(id, ms));
io.on("node", (node) => note(node));
io.on("who", () => io.serverSideEmit("node", self()));

function setTime(id, ms) {
  const message = history.find((one) => one.id === id);
  if (message) message.ms = ms;
}

const clean = (text, max) => (typeof text === "string" ? text.trim().slice(0, max) : "");

let last = 0;

io.on("connection", (socket) => {
  socket.emit("welcome", { node: name, pid: process.pid, history });
  countPeople();
  socket.on("disconnect", countPeople);

  socket.on("say", (said, done) => {
    const text = clean(said?.text, TEXT_MAX);
    if (!text || typeof done !== "function") return;
    const message = {
      id: `${name}-${process.pid}-${++last}`,
      author: clean(said.author, 40),
      by: clean(said.by, NAME_MAX) || "Somebody",
      text,
      node: name,
      transport: socket.conn.transport.name,
      at: Date.now(),
    };
    remember(message);
    io.serverSideEmit("said", message);
    io.emit("said", message);
    done({ id: message.id, node: name });
  });

  // Only the sender knows how long its message took; it says so, and all may see it.
  socket.on("timed", (id, ms) => {
    if (typeof id !== "string" || typeof ms !== "number") return;
    setTime(id, ms);
    io.serverSideEmit("timed", id, ms);
    io.emit("timed", id, ms);
  });

  socket.on("echo", (done) => typeof done === "function" && done());
});

server.listen({ host: "127.0.0.1", port: Number(process.env.NODE_PORT || 0), exclusive: true }, () => {
  const { port } = server.address();
  note(self());
  if (isForked) {
    process.send({ type: "listening-on", port });
    io.serverSideEmit("who");
    io.serverSideEmit("node", self());
  } else {
    console.log(`${name} on http://127.0.0.1:${port}/`);
  }
});

if (isForked) {
  process.on("message", (message) => message?.type === "gone" && note({ name: message.name, people: 0, isUp: false }));
  process.on("SIGINT", () => {}); // the launcher ends us after hawser
  process.on("SIGTERM", () => process.exit(0));
  process.on("disconnect", () => process.exit(0));
}
