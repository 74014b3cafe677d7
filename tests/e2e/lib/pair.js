"use strict";
// Debian's nginx and hawser side by side: one configuration, one recording backend, the same bytes sent to both. They
// listen at 127.0.0.2 and 127.0.0.3 on one port, so that nothing in an answer differs but what they make of it.

const fs = require("node:fs");
const path = require("node:path");
const { spawn } = require("node:child_process");
const { HAWSER, until, within, freePort, tempFolder } = require("./base.js");
const { connect, startRawBackend } = require("./wire.js");

const NGINX = "/usr/sbin/nginx";
const PROGRAMS = [
  { name: "nginx", file: NGINX, address: "127.0.0.2" },
  { name: "hawser", file: HAWSER, address: "127.0.0.3" },
];
const isThere = fs.existsSync(NGINX);

/* One backend for both: answers every request by answer(request), and keeps what came. */
async function startRecorder(crew) {
  const recorder = { seen: [], answer: null };
  const backend = await startRawBackend(crew, async (wire) => {
    for (;;) {
      const request = await wire.takeRequest(60000);
      recorder.seen.push(request);
      const answer = (await recorder.answer(request, wire))?.replaceAll("BACKEND", `127.0.0.1:${backend.port}`);
      if (answer === undefined) return wire.end();
      wire.write(answer);
      if (!/^content-length:|^transfer-encoding:|^HTTP\/1.1 (1..|204|304) /im.test(answer) && request.method !== "HEAD") return wire.end();
    }
  });
  return Object.assign(recorder, { port: backend.port });
}

/* The backend is asked by both in one way, whatever their defaults, and its connections are kept. */
const ALIKE = 'proxy_http_version 1.1; proxy_set_header Host h; proxy_set_header Connection ""';

/* What both are told: `http` with LISTEN, BACKEND, PORT, DIR and ALIKE filled in, and OWN, each one's own folder. */
function configOf(http, { address, port, backend, site, own }) {
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${own}/${name};`);
  return (
    `${process.getuid() === 0 ? "user root;\n" : ""}worker_processes 1;\npid ${own}/pid;\nevents { worker_connections 512; }\nhttp {\n  ${/access_log/.test(http) ? "" : "access_log off;"}\n  ` +
    `${temp.filter((line) => !/^(fast|uws|scg)/.test(line) || address === PROGRAMS[0].address).join("\n  ")}\n` +
    http.replaceAll("ALIKE", ALIKE).replaceAll("LISTEN", `${address}:${port}`).replaceAll("ADDRESS", address).replaceAll("PORT", port).replaceAll("BACKEND", `127.0.0.1:${backend}`).replaceAll("DIR", site).replaceAll("OWN", own) +
    "\n}\n"
  );
}

async function startOne(crew, program, http, where) {
  const own = tempFolder(crew);
  fs.writeFileSync(path.join(own, "nginx.conf"), configOf(http, { ...where, own, address: program.address }));
  const child = spawn(program.file, ["-p", `${own}/`, "-c", "nginx.conf", "-e", "error.log", "-g", "daemon off;"], { stdio: ["ignore", "ignore", "pipe"] });
  const one = { ...program, ended: false };
  let words = "";
  child.stderr.on("data", (text) => (words += text));
  const exit = new Promise((resolve) => child.once("close", () => resolve((one.ended = true))));
  crew.after(() => {
    child.kill("SIGTERM");
    return within(8000, exit, `${program.name}'s end`);
  });
  one.access = () => (fs.existsSync(path.join(own, "access.log")) ? fs.readFileSync(path.join(own, "access.log"), "latin1").split("\n").slice(0, -1) : []);
  one.log = () => words + (fs.existsSync(path.join(own, "error.log")) ? fs.readFileSync(path.join(own, "error.log"), "latin1") : "");
  await until(() => one.ended || fs.existsSync(path.join(own, "pid")), `${program.name} to start`);
  if (one.ended) throw new Error(`${program.name} did not start:\n${one.log()}`);
  return one;
}

/* Both, before one recorder; `files` are what DIR holds, a null is a folder. */
async function startPair(crew, { http, files = {} }) {
  const site = tempFolder(crew);
  for (const [name, contents] of Object.entries(files)) {
    const file = path.join(site, name);
    fs.mkdirSync(contents === null ? file : path.dirname(file), { recursive: true });
    if (contents !== null) fs.writeFileSync(file, contents);
    fs.utimesSync(file, 1700000000, 1700000000);
  }
  const recorder = await startRecorder(crew);
  const port = await freePort();
  const both = [];
  for (const program of PROGRAMS) both.push(await startOne(crew, program, http, { port, backend: recorder.port, site }));
  return { both, recorder, port, site };
}

/* Names of the programs and the addresses they listen at are not a difference, nor is the length that comes of them. */
function plain(answer, method) {
  const own = /(nginx|hawser)\/\d+\.\d+\.\d+/g;
  const body = answer.body.replace(own, "NAME").replace(/<center>(nginx|hawser)<\/center>/, "<center>NAME</center>");
  const shorter = answer.body.length - body.length;
  const fields = answer.text.split("\r\n").slice(1, -2).filter((line) => !/^date:/i.test(line));
  const headers = fields.map((line) => {
    if (/^server:/i.test(line)) return line.replace(own, "NAME").replace(/: (nginx|hawser)$/, ": NAME");
    if (method === "HEAD" && answer.status >= 400 && /^content-length:/i.test(line)) return "Content-Length: a page's";
    if (/^content-length:/i.test(line) && shorter) return line.replace(/\d+$/, (length) => Number(length) - shorter);
    if (/^content-type: multipart/i.test(line)) return line.replace(/\d{20}/, "BOUNDARY");
    return line.replace(/127\.0\.0\.[23](?=[:/]|$)/g, "ADDRESS");
  });
  return { status: answer.first, headers: headers.sort(), body: body.replace(/127\.0\.0\.[23]/g, "ADDRESS").replace(/^--\d{20}/gm, "--BOUNDARY"), trailers: answer.trailers };
}

/* Sends the bytes to one of them, and ends when the answers and `tail` more bytes have come; gives the answers and what the backend saw, and the `lines` that it writes of it to
 * OWN/access.log. */
async function ask(crew, pair, one, { text, methods, answer, lines = 0, tail = 0 }) {
  const written = one.access().length;
  pair.recorder.seen = [];
  pair.recorder.answer = answer;
  const wire = await connect(crew, pair.port, { host: one.address });
  wire.write(text);
  const answers = [];
  for (const method of methods) answers.push(plain(await wire.takeResponse(method), method));
  const early = await wire.take(tail);
  wire.end();
  const rest = await wire.ended();
  const seen = pair.recorder.seen.map((request) => ({
    head: request.text.replaceAll(one.address, "ADDRESS").split("\r\n").slice(0, -2),
    body: request.body,
  }));
  const isWritten = () => one.access().length >= written + lines;
  await until(isWritten, () => `${lines} lines in the log, have ${one.access().slice(written)}`, 1000);
  const logged = one.access().slice(written).map((line) => line.replaceAll(one.address, "ADDRESS").split("|"));
  return { answers, rest: early + rest, seen, logged };
}

module.exports = { isThere, startPair, ask };
