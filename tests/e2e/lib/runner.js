"use strict";
// Runs test files with node:test, each a process of its own: what measures time or memory alone, the rest two at a time.
// The output of a file comes whole when it is done; at the end, what failed and one line of sums.

const fs = require("node:fs");
const path = require("node:path");
const { spawn } = require("node:child_process");
const { isSanitized, SLOW } = require("./base.js");

const FOLDER = path.join(__dirname, "..");
const AT_ONCE = 2;
const FILE_LIMIT_MS = 240000 * SLOW;
/* These share the machine with nobody. */
const ALONE = ["faults", "http", "reload"];

function runFile(name) {
  return new Promise((resolve) => {
    const file = `${name}.test.js`;
    const begin = Date.now();
    const child = spawn(process.execPath, ["--test-reporter=spec", file], { cwd: FOLDER, stdio: ["ignore", "pipe", "pipe"], detached: true });
    let text = "";
    child.stdout.on("data", (data) => (text += data));
    child.stderr.on("data", (data) => (text += data));
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      process.kill(-child.pid, "SIGKILL"); // its own group: the proxies and nodes it started
    }, FILE_LIMIT_MS);
    child.once("close", (code) => {
      clearTimeout(timer);
      const count = (what) => Number(new RegExp(`^ℹ ${what} (\\d+)$`, "m").exec(text)?.[1] || 0);
      const result = { name, text, passed: count("pass"), failed: count("fail") + count("cancelled"), skipped: count("skipped"), known: count("todo") };
      if (isLate) text += `\n${file} took more than ${FILE_LIMIT_MS / 1000} s\n`;
      if ((code !== 0 || isLate) && result.failed === 0) result.failed = 1;
      const seconds = ((Date.now() - begin) / 1000).toFixed(1);
      process.stdout.write(`\n=== ${name}: ${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped, ${result.known} known defects (${seconds} s)\n${text}`);
      resolve(result);
    });
  });
}

async function main() {
  const all = fs.readdirSync(FOLDER).filter((file) => file.endsWith(".test.js")).map((file) => file.slice(0, -".test.js".length));
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !all.includes(name));
  if (unknown.length) {
    console.error(`there is no ${unknown} here; there are ${all.join(" ")}`);
    process.exit(1);
  }
  const names = all.filter((name) => !wanted.length || wanted.includes(name));
  const results = [];
  const queue = names.filter((name) => !ALONE.includes(name));
  const work = async () => {
    while (queue.length) results.push(await runFile(queue.shift()));
  };
  await Promise.all(Array.from({ length: isSanitized ? 1 : AT_ONCE }, work));
  for (const name of names.filter((name) => ALONE.includes(name))) results.push(await runFile(name));

  const sum = (what) => results.reduce((total, result) => total + result[what], 0);
  console.log("");
  for (const { name, text, failed } of results.filter((result) => result.failed)) {
    const lines = new Set([...text.matchAll(/^ +✖ (.*?)( \([\d.]+ms\))?$/gm)].map(([, title]) => title));
    console.log(`${name}: ${failed} failed`);
    for (const line of lines) console.log(`  ✖ ${line}`);
  }
  console.log(`${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped, ${sum("known")} known defects`);
  process.exit(sum("failed") || !sum("passed") ? 1 : 0);
}

main();
