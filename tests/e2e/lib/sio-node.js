"use strict";
// A Socket.IO node of the tests, a process of its own: fork()ed by nodes.js with its options as JSON.

const http = require("node:http");
const { Server } = require("socket.io");

const options = JSON.parse(process.argv[2] || "{}");
const { name, port = 0, path, allowEIO3 = false, pingInterval = 25000, pingTimeout = 20000 } = options;
const now = () => Number(process.hrtime.bigint() / 1000000n); // the machine's, thus comparable among the nodes
const closed = {}; // session id -> when it ended
const stats = { name, handshakes: 0, sessions: 0, requests: 0, errors: [] };

const server = http.createServer((request, response) => {
  stats.requests++;
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ node: name, url: request.url, headers: request.headers, from: request.socket.remoteAddress }));
});
server.keepAliveTimeout = 30000;

const io = new Server(server, { allowEIO3, path, pingInterval, pingTimeout, cors: { origin: true, credentials: true } });
io.engine.on("initial_headers", () => stats.handshakes++);
io.engine.on("connection", (session) => session.once("close", () => (closed[session.id] = now())));
io.engine.on("connection_error", ({ code, message, req }) => {
  stats.errors.push({ code, message, url: req.url, at: now() });
});
io.on("connection", (socket) => {
  stats.sessions++;
  const { headers } = socket.handshake;
  socket.emit("hello", { node: name, sid: socket.conn.id, headers, protocol: socket.conn.protocol });
  socket.on("echo", (value, done) => done({ node: name, value, transport: socket.conn.transport.name }));
  socket.on("burst", (count, done) => {
    for (let i = 0; i < count; i++) socket.emit("drop", i);
    done();
  });
});

process.on("message", (message) => {
  if (message.ask === "stats") process.send({ id: message.id, stats: { ...stats, closed } });
});
process.on("disconnect", () => process.exit(0));
server.listen({ port, host: "127.0.0.1" }, () => process.send({ port: server.address().port }));
