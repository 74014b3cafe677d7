"use strict";
// Opens a tunnel for each target, says so, and holds them: node far-client.js HOST PORT TARGET...

const net = require("node:net");
const { handshake } = require("./frames.js");

const [host, port, ...targets] = process.argv.slice(2);
let left = targets.length;
for (const target of targets) {
  const socket = net.connect(Number(port), host, () => socket.write(handshake({ target })));
  socket.once("data", () => --left === 0 && console.log("open"));
  socket.on("data", () => {});
  socket.on("error", () => {});
}
setInterval(() => {}, 1000);
