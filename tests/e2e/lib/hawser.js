"use strict";
// Starts the proxy on a free port of the loopback and ends it again. PROXY=nginx puts Debian's nginx in its place, to
// prove the tests themselves: what nginx does too must be green with it.

const assert = require("node:assert");
const fs = require("node:fs");
const net = require("node:net");
const path = require("node:path");
const { spawn } = require("node:child_process");
const { HAWSER, until, within, freePort, tempFolder, pssBytes } = require("./base.js");

const isNginx = process.env.PROXY === "nginx";
const ENDS_AFTER_MS = 8000;
/* What no log may hold, whatever a test does. */
const DISASTERS = /Sanitizer|runtime error:|CHECK failed|\[emerg\].*(bug|CHECK)|Assertion/;

const canConnect = (port) =>
  new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => resolve(true) || socket.destroy());
    socket.once("error", () => resolve(false));
  });

class Hawser {
  constructor(child, { port, folder, file }) {
    Object.assign(this, { child, port, folder, file, log: "", out: "" });
    this.url = `http://127.0.0.1:${port}`;
    this.exit = new Promise((resolve) => child.once("close", (code, signal) => resolve((this.ending = { code, signal }))));
    child.stderr.on("data", (text) => (this.log += text));
    child.stdout.on("data", (text) => (this.out += text));
  }
  get pid() {
    return this.child.pid;
  }
  signal(name) {
    this.child.kill(name);
  }
  pss() {
    return pssBytes(this.pid);
  }
  async accepts() {
    await until(async () => this.ending || (await canConnect(this.port)), "hawser to accept");
    if (this.ending) throw new Error(`hawser ended with ${JSON.stringify(this.ending)}:\n${this.log}${this.out}`);
    return this;
  }
  /* Ends it at once (SIGTERM), as an operator would, and looks whether it went well. */
  async stop() {
    if (!this.ending) this.signal("SIGTERM");
    const ending = await within(ENDS_AFTER_MS, this.exit, "hawser's end after SIGTERM").catch((error) => {
      this.signal("SIGKILL");
      throw error;
    });
    assert.doesNotMatch(this.log, DISASTERS);
    assert.deepEqual(ending, { code: 0, signal: null }, `hawser's end; its log:\n${this.log.slice(-2000)}`);
  }
  /* Writes the configuration anew and sends SIGHUP. Whether it took effect is the test's to see. */
  reload(text) {
    if (text !== undefined) fs.writeFileSync(this.file, forProxy(text, this.folder));
    this.signal("SIGHUP");
  }
}

/* nginx wants places for its temporary files and an events block; the log goes where hawser's does. */
function forProxy(text, folder) {
  if (!isNginx) return text;
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`);
  const events = /\bevents\s*\{/.test(text) ? "" : "events { worker_connections 8192; }\n";
  return (
    `user root; daemon off; pid ${folder}/nginx.pid; error_log stderr info;\n${events}` +
    text.replace(/\bhttp\s*\{/, `http { access_log off; ${temp.join(" ")}`)
  );
}

function launch(crew, args, where) {
  const child = spawn(isNginx ? "/usr/sbin/nginx" : HAWSER, args, { stdio: ["ignore", "pipe", "pipe"] });
  const hawser = new Hawser(child, where);
  child.once("error", (error) => (hawser.log += error.message));
  crew.after(() => hawser.stop());
  return hawser;
}

/* Before these URLs, by the one-liner. */
async function startOneliner(crew, urls, { args = [] } = {}) {
  const port = await freePort();
  if (isNginx) {
    const servers = urls.map((url) => `server ${url.replace("http://", "")};`).join(" ");
    return startConfig(
      crew,
      ({ port }) => `http { map $http_upgrade $up { default upgrade; '' ''; } upstream nodes { hash $remote_addr; ${servers} }
        server { listen 127.0.0.1:${port}; location / { proxy_pass http://nodes; proxy_http_version 1.1;
        proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $up; } } }`,
    );
  }
  const status = args.includes("-a") ? [] : ["-a", "off"]; // so many of them run beside each other
  return launch(crew, ["-l", `127.0.0.1:${port}`, ...status, ...args, ...urls], { port }).accepts();
}

/* With a configuration: a text, or a function that makes it of { port, folder }. `files` are written beside it. */
async function startConfig(crew, config, { args = [], files = {}, port } = {}) {
  port ??= await freePort();
  const folder = tempFolder(crew);
  for (const [name, contents] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), contents);
  }
  const file = path.join(folder, "hawser.conf");
  fs.writeFileSync(file, forProxy(typeof config === "function" ? config({ port, folder }) : config, folder));
  return launch(crew, ["-p", folder, "-c", file, ...args], { port, folder, file }).accepts();
}

/* Runs the program to its end: { code, signal, out, log }. */
async function runHawser(args, { cwd, ms = 5000, input } = {}) {
  const child = spawn(HAWSER, args, { cwd, stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"] });
  const result = { out: "", log: "" };
  child.stdout.on("data", (text) => (result.out += text));
  child.stderr.on("data", (text) => (result.log += text));
  if (input !== undefined) child.stdin.end(input);
  const end = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(Object.assign(result, { code, signal })));
  });
  return within(ms, end, `the end of hawser ${args.join(" ")}`).finally(() => child.kill("SIGKILL"));
}

module.exports = { isNginx, startOneliner, startConfig, runHawser };
