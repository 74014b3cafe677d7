"use strict";
// What every test needs: waiting for conditions, free ports, a place to put what must be ended.

const fs = require("node:fs");
const net = require("node:net");
const os = require("node:os");
const path = require("node:path");

const HAWSER = path.resolve(process.env.HAWSER || path.join(__dirname, "../../../hawser"));
/* Sanitizers cost several times the CPU: deadlines grow, and what measures memory or speed is left out. */
const isSanitized = /(asan|tsan|debug)/.test(HAWSER);
const SLOW = isSanitized ? 4 : 1;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/* Waits until condition() is true-ish and gives that value; fails after ms with what it waited for. */
async function until(condition, what, ms = 5000) {
  const end = Date.now() + ms * SLOW;
  for (let pause = 2; ; pause = Math.min(pause * 1.5, 50)) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${ms * SLOW} ms in vain for ${typeof what === "function" ? what() : what}`);
    await sleep(pause);
  }
}

/* Waits until a number has stayed the same for a while, and gives it. */
async function atRest(read) {
  for (let before, now; ; before = now) {
    now = read();
    if (now === before) return now;
    await sleep(300);
  }
}

/* Fails when the promise takes more than ms. */
function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms * SLOW} ms in vain for ${typeof what === "function" ? what() : what}`)), ms * SLOW);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const canListen = (port) =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "0.0.0.0", exclusive: true }, () => server.close(() => resolve(true)));
  });

/* Below the range from which the kernel takes ports of outgoing connections, so that none of those gets in between. */
async function freePort() {
  for (;;) {
    const port = 10000 + Math.floor(Math.random() * 22000);
    if (await canListen(port)) return port;
  }
}

/* What must be ended, last first, by whoever has it: `const crew = new Crew(); after(() => crew.end());`.
 * Everything that starts something takes a crew or a test's own context, which has after() too. */
class Crew {
  #ends = [];
  after(end) {
    this.#ends.push(end);
  }
  async end() {
    const errors = [];
    for (const end of this.#ends.reverse()) await Promise.resolve().then(end).catch((error) => errors.push(error));
    this.#ends = [];
    if (errors.length) throw errors[0];
  }
}

/* A folder that goes away again. */
function tempFolder(crew) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "hawser-e2e-"));
  crew.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/* Bytes of a process' own memory, shared pages divided among those who share them. */
function pssBytes(pid) {
  const text = fs.readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)[1]) * 1024;
}

/* Runs act(0) to act(count - 1), `many` at a time; the results in order. */
async function inBatches(count, many, act) {
  const results = new Array(count);
  let next = 0;
  const work = async () => {
    while (next < count) {
      const index = next++;
      results[index] = await act(index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(many, count) }, work));
  return results;
}

/* Options of a test that shows a defect which is known: it runs and is reported, and does not count. The mark goes when
 * the defect does. */
const known = (defect) => ({ todo: defect });

module.exports = { known, HAWSER, SLOW, isSanitized, sleep, atRest, until, within, freePort, Crew, tempFolder, pssBytes, inBatches };
