"use strict";
// Real Socket.IO nodes, one process each, that can be killed and stopped.

const path = require("node:path");
const { fork } = require("node:child_process");
const { within } = require("./base.js");

let lastQuestion = 0;

class Node {
  constructor(options) {
    this.options = options;
    this.name = options.name;
  }
  async start() {
    this.child = fork(path.join(__dirname, "sio-node.js"), [JSON.stringify({ ...this.options, port: this.port || 0 })]);
    this.exit = new Promise((resolve) => this.child.once("exit", resolve));
    const { port } = await within(10000, new Promise((resolve) => this.child.once("message", resolve)), `${this.name} to listen`);
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    return this;
  }
  get pid() {
    return this.child.pid;
  }
  signal(name) {
    process.kill(this.pid, name);
  }
  async kill() {
    this.child.kill("SIGKILL"); // works on a stopped process too
    await this.exit;
  }
  async stats() {
    const id = ++lastQuestion;
    const answer = new Promise((resolve) => {
      const hear = (message) => message.id === id && (this.child.off("message", hear), resolve(message.stats));
      this.child.on("message", hear);
    });
    this.child.send({ ask: "stats", id });
    return within(5000, answer, `${this.name}'s numbers`);
  }
}

async function startNode(crew, options) {
  const node = new Node(options);
  crew.after(() => node.kill());
  return node.start();
}

/* Three by default: "a", "b", "c". */
async function startNodes(crew, { names = ["a", "b", "c"], ...options } = {}) {
  return Promise.all(names.map((name) => startNode(crew, { ...options, name })));
}

const UNKNOWN_SID = 1;
const CLOSING_MS = 100;

/* What the nodes saw. A client that leaves may have a poll on its way that comes after its close packet, to whichever node:
 * that "Session ID unknown" is nobody's fault and left out. */
async function allStats(nodes) {
  const all = await Promise.all(nodes.map((node) => node.stats()));
  const closed = Object.assign({}, ...all.map((stats) => stats.closed));
  const isLate = ({ code, url, at }) => code === UNKNOWN_SID && at > closed[new URL(url, "http://x").searchParams.get("sid")] - CLOSING_MS;
  for (const stats of all) {
    stats.errors = stats.errors.filter((error) => !isLate(error));
    stats.unknown = stats.errors.filter(({ code }) => code === UNKNOWN_SID).length;
  }
  return all;
}

module.exports = { Node, startNode, startNodes, allStats };
