"use strict";
// In a network of its own (unshare -n), where packets to 198.51.100.0/24 come back though nobody there has such an address:
// prints where two backends saw their connections come from, as JSON.

const { execFileSync } = require("node:child_process");
const net = require("node:net");
const { Crew } = require("./base.js");
const { startConfig } = require("./hawser.js");
const { ask, startRawBackend } = require("./wire.js");

const FAR = "198.51.100.0/24";

async function main(crew) {
  for (const args of ["link set lo up", `route add local ${FAR} dev lo table 100`, `rule add to ${FAR} lookup 100`]) execFileSync("ip", args.split(" "));
  const from = [];
  const backend = await startRawBackend(crew, async (wire) => {
    from.push(wire.socket.remoteAddress);
    await wire.takeRequest();
    wire.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  const hawser = await startConfig(
    crew,
    ({ port }) => `user nobody nogroup; http { set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;
      server { listen 127.0.0.1:${port};
        location / { proxy_bind $remote_addr transparent; proxy_pass http://127.0.0.1:${backend.port}; }
        location /plain { proxy_bind $remote_addr; proxy_pass http://127.0.0.1:${backend.port}; } } }
      stream { server { listen 127.0.0.2:${port}; proxy_bind 198.51.100.9 transparent; proxy_pass 127.0.0.1:${backend.port}; } }`,
  );
  const get = (target) => `GET ${target} HTTP/1.1\r\nHost: h\r\nX-Real-IP: 198.51.100.7\r\nConnection: close\r\n\r\n`;
  const statuses = [(await ask(crew, hawser.port, get("/"))).status, (await ask(crew, hawser.port, get("/plain"))).status];
  await new Promise((resolve) => {
    const socket = net.connect(hawser.port, "127.0.0.2", () => socket.write(get("/")));
    socket.once("data", () => resolve(socket.destroy()));
  });
  console.log(JSON.stringify({ from, statuses }));
}

const crew = new Crew();
main(crew).finally(() => crew.end());
