"use strict";
// The demo's launcher: three nodes, each its own process, and hawser before them in the foreground.
// It restarts nothing: a node that is killed stays away, so that one can see what happens to its people.

const cluster = require("node:cluster");
const net = require("node:net");
const path = require("node:path");
const { spawn } = require("node:child_process");
const { setupPrimary } = require("@socket.io/cluster-adapter");

const NODES = 3;
const port = Number(process.env.PORT || 8080);
const hawser = process.env.HAWSER || path.join(__dirname, "../../hawser");

const say = (text = "") => process.stdout.write(`${text}\n`);

function startNode(index) {
  return new Promise((resolve, reject) => {
    const name = `node-${index + 1}`;
    const worker = cluster.fork({ NODE_NAME: name });
    worker.on("error", () => {}); // what was on its way to a node that is gone is lost
    worker.once("exit", () => reject(new Error(`${name} did not start`)));
    worker.on("message", (message) => {
      if (message?.type !== "listening-on") return;
      worker.removeAllListeners("exit");
      resolve({ name, worker, pid: worker.process.pid, port: message.port });
    });
  });
}

// Others are told when a node is gone, so that the page can show it.
function watch(node, isEnding) {
  node.worker.on("exit", (code, signal) => {
    if (isEnding()) return;
    say(`${node.name} (pid ${node.pid}) ended: ${signal || `status ${code}`}. hawser goes on with the others.`);
    for (const worker of Object.values(cluster.workers)) worker.send({ type: "gone", name: node.name }, () => {});
  });
}

function accepts(at) {
  return new Promise((resolve) => {
    const socket = net.connect(at, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

async function greet(nodes) {
  while (!(await accepts(port))) await new Promise((resolve) => setTimeout(resolve, 20));
  say();
  say("  hawser is serving a chat on three Socket.IO nodes");
  say();
  for (const node of nodes) say(`    ${node.name}   http://127.0.0.1:${node.port}   pid ${node.pid}`);
  say();
  say(`  Open   http://localhost:${port}/   in two windows`);
  say(`  Try    kill -9 ${nodes[0].pid}   and see its people come back elsewhere`);
  say("  Stop   Ctrl-C");
  say();
}

function endNodes(nodes) {
  const alive = nodes.filter((node) => !node.worker.isDead());
  return Promise.all(alive.map((node) => new Promise((resolve) => {
    node.worker.once("exit", resolve);
    node.worker.process.kill("SIGTERM");
  })));
}

async function main() {
  cluster.setupPrimary({ exec: path.join(__dirname, "node.js"), serialization: "advanced" });
  setupPrimary();
  const nodes = await Promise.all(Array.from({ length: NODES }, (_, index) => startNode(index)));

  let ending = false;
  for (const node of nodes) watch(node, () => ending);
  const proxy = spawn(hawser, ["-l", `:${port}`, ...nodes.map((node) => `http://127.0.0.1:${node.port}`)], {
    stdio: "inherit",
  });
  const end = (signal) => {
    ending = true;
    proxy.kill(signal);
  };
  process.on("SIGINT", () => end("SIGINT"));
  process.on("SIGTERM", () => end("SIGTERM"));
  process.on("SIGHUP", () => end("SIGTERM")); // the terminal is gone, and hawser would take it for "reload"
  proxy.once("error", (error) => {
    process.stderr.write(`cannot start ${hawser}: ${error.message}\n`);
    process.exit(1);
  });
  proxy.once("exit", (code, signal) => {
    const wasAsked = ending;
    ending = true;
    if (!wasAsked) process.stderr.write(`hawser ended: ${signal || `status ${code}`}\n`);
    endNodes(nodes).then(() => process.exit(wasAsked ? 0 : (code ?? 1)));
  });
  const greeted = greet(nodes);
  await Promise.race([greeted, new Promise((resolve) => proxy.once("exit", resolve))]);
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
