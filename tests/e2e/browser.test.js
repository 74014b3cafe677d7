"use strict";
// The demo as a user meets it: tools/demo/run, and its page in Chromium.

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { execFile, spawn } = require("node:child_process");
const { after, before, describe, test } = require("node:test");
const { Crew, HAWSER, freePort, until, within } = require("./lib/base.js");
const { findChromium, openBrowser } = require("./lib/browser.js");
const { startNodes } = require("./lib/nodes.js");

const RUN = path.join(__dirname, "../../tools/demo/run");

/* Starts the demo; `said` is what it printed. */
async function startDemo(crew, env = {}) {
  const port = await freePort();
  const child = spawn(RUN, [], { env: { ...process.env, PORT: port, HAWSER, UPSTREAMS: "", ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const demo = { child, port, said: "", url: `http://127.0.0.1:${port}/` };
  child.stdout.on("data", (text) => (demo.said += text));
  child.stderr.on("data", (text) => (demo.said += text));
  demo.exit = new Promise((resolve) => child.once("exit", (code, signal) => resolve((demo.ending = { code, signal }))));
  crew.after(async () => {
    if (!demo.ending) child.kill("SIGTERM");
    await within(10000, demo.exit, "the demo's end");
  });
  // The first start installs packages.
  const isUp = () => (env.UPSTREAMS ? demo.said.includes(env.UPSTREAMS) : demo.said.includes("Ctrl-C"));
  await until(() => demo.ending || isUp(), () => `the demo to start: ${demo.said}`, 60000);
  assert.ok(!demo.ending, demo.said);
  return demo;
}

const isAlive = (pid) => {
  try {
    return /^State:\s+[^ZX]/m.test(fs.readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
};
const pidsOf = (demo) => [...demo.said.matchAll(/^ +node-\d .* pid (\d+)$/gm)].map(([, pid]) => Number(pid));

describe("the demo's page", { skip: findChromium() ? false : "needs Chromium" }, () => {
  const crew = new Crew();
  let demo, browser;
  before(async () => {
    demo = await startDemo(crew);
    browser = await openBrowser();
    crew.after(() => browser.close());
  });
  after(() => crew.end());

  async function open(t, { transport = "default", name = "Somebody", colorScheme } = {}) {
    const context = await browser.newContext({ colorScheme });
    t.after(() => context.close());
    const page = await context.newPage();
    page.faults = [];
    page.on("pageerror", (error) => page.faults.push(error.message));
    page.on("console", (message) => message.type() === "error" && page.faults.push(message.text()));
    page.on("request", (request) => new URL(request.url()).port !== String(demo.port) && !request.url().startsWith("data:") && page.faults.push(`asked ${request.url()}`));
    await page.goto(`${demo.url}?transport=${transport}&name=${encodeURIComponent(name)}`);
    await page.waitForSelector(".state.is-up");
    await page.waitForFunction(() => /^node-\d$/.test(document.querySelector("#node").textContent));
    page.node = await page.textContent("#node");
    return page;
  }
  const transportOf = (page) => page.textContent("#transport");
  const becomes = (page, transport) => page.waitForFunction((want) => document.querySelector("#transport").textContent === want, transport);
  const say = async (page, text) => {
    await page.fill("#text", text);
    await page.press("#text", "Enter");
  };
  const heard = async (page, text) => {
    const said = page.locator(".said", { hasText: text });
    await said.waitFor();
    await page.waitForFunction((want) => [...document.querySelectorAll(".said")].some((one) => one.textContent.includes(want) && /ms$/.test(one.querySelector(".rtt").textContent)), text);
    return said.evaluate((element) => ({ ...element.dataset, rtt: element.querySelector(".rtt").textContent, own: element.classList.contains("is-own"), text: element.querySelector(".bubble").textContent }));
  };

  test("two people on different nodes chat, and see who carried what", async (t) => {
    const ada = await open(t, { transport: "polling", name: "Ada" });
    let jun = await open(t, { transport: "websocket", name: "Jun" });
    for (let i = 0; jun.node === ada.node && i < 6; i++) jun = await open(t, { transport: "websocket", name: "Jun" });
    assert.notEqual(ada.node, jun.node, "all of them on one node");

    await say(ada, "hello from Ada");
    await say(jun, "hello from Jun");
    for (const page of [ada, jun]) {
      const byAda = await heard(page, "hello from Ada");
      const byJun = await heard(page, "hello from Jun");
      assert.deepEqual([byAda.node, byAda.transport, byAda.own], [ada.node, "polling", page === ada]);
      assert.deepEqual([byJun.node, byJun.transport, byJun.own], [jun.node, "websocket", page === jun]);
      for (const { rtt } of [byAda, byJun]) assert.match(rtt, /^\d+(\.\d)? ms$/);
      assert.match(byAda.text, page === ada ? /^You/ : /^Ada/);
    }
    assert.match(await ada.textContent("#sid"), /^[\w-]{20}$/);
    assert.match(await ada.textContent("#rtt"), /ms$/);
    assert.equal(await ada.locator("#nodes li").count(), 3);
    for (const page of [ada, jun]) assert.deepEqual(page.faults, []);
  });

  test("a text is a text, whatever is in it", async (t) => {
    const page = await open(t);
    await say(page, '<img src=x onerror="document.title=1"> &amp; done');
    const { text } = await heard(page, "done");
    assert.ok(text.endsWith('<img src=x onerror="document.title=1"> &amp; done'));
    assert.deepEqual(page.faults, []);
  });

  test("the transport can be chosen, by the keyboard too", async (t) => {
    const page = await open(t);
    await becomes(page, "WebSocket"); // the upgrade
    await page.click("text=Polling only");
    await becomes(page, "polling");
    await page.press("[name=transport][value=polling]", "ArrowDown");
    await becomes(page, "WebSocket");
    assert.equal(await page.isChecked("[name=transport][value=websocket]"), true);
    await page.press("[name=transport][value=websocket]", "ArrowUp");
    await becomes(page, "polling");
    await say(page, "still heard");
    assert.equal((await heard(page, "still heard")).transport, "polling");
    assert.deepEqual(page.faults, []);
  });

  test("light and dark follow the system", async (t) => {
    const lightness = {};
    for (const colorScheme of ["light", "dark"]) {
      const page = await open(t, { colorScheme });
      lightness[colorScheme] = await page.evaluate(() => {
        const [r, g, b] = getComputedStyle(document.querySelector(".chat")).backgroundColor.match(/\d+/g).map(Number);
        return (r + g + b) / 3;
      });
    }
    assert.ok(lightness.light > 200 && lightness.dark < 80, JSON.stringify(lightness));
  });

  test("people of a killed node are back on another, and the page shows it", async (t) => {
    const pages = [await open(t, { transport: "polling" }), await open(t, { transport: "websocket" })];
    for (const page of pages) page.pid = Number(/pid (\d+)/.exec(await page.textContent(`[data-node=${page.node}] small`))[1]);
    const [{ pid, node }] = pages;
    assert.ok(pidsOf(demo).includes(pid));
    process.kill(pid, "SIGKILL");
    for (const page of pages) {
      await page.waitForSelector(`#nodes .is-down[data-node=${node}]`, { timeout: 10000 });
      await page.waitForFunction((dead) => document.querySelector(".state.is-up") && /^node-\d$/.test(document.querySelector("#node").textContent) && document.querySelector("#node").textContent !== dead, node, { timeout: 10000 });
    }
    await say(pages[0], "I am back");
    assert.notEqual((await heard(pages[1], "I am back")).node, node);
    await until(() => demo.said.includes("ended: SIGKILL"), "the launcher's word");
  });
});

describe("the launcher", () => {
  test("ends its children with itself", async (t) => {
    for (const signal of ["SIGINT", "SIGTERM"]) {
      const demo = await startDemo(t);
      const pids = pidsOf(demo);
      assert.equal(pids.length, 3);
      const hawser = Number(fs.readFileSync(`/proc/${demo.child.pid}/task/${demo.child.pid}/children`, "latin1").split(" ").find((pid) => pid && !pids.includes(Number(pid))));
      assert.ok(isAlive(hawser));
      demo.child.kill(signal);
      assert.deepEqual(await within(8000, demo.exit, "its end"), { code: 0, signal: null }, demo.said);
      await until(() => ![...pids, hawser].some(isAlive), "the children's end");
    }
  });

  test("says what to do when the port is in use", async (t) => {
    const [node] = await startNodes(t, { names: ["a"] });
    for (const UPSTREAMS of ["", "http://127.0.0.1:1"]) {
      const result = await new Promise((resolve) => execFile(RUN, { env: { ...process.env, PORT: node.port, HAWSER, UPSTREAMS } }, (error, out, log) => resolve({ code: error?.code, log })));
      assert.equal(result.code, 1);
      assert.match(result.log, new RegExp(`Port ${node.port} is in use`));
      assert.match(result.log, /PORT=\d+ make run/);
    }
  });

  test("UPSTREAMS are served instead of nodes of its own", async (t) => {
    const nodes = await startNodes(t, { names: ["x", "y"] });
    const demo = await startDemo(t, { UPSTREAMS: nodes.map((node) => node.url).join(" ") });
    await until(async () => (await fetch(demo.url).then((response) => response.json(), () => ({}))).node, "an answer");
    const seen = new Set();
    for (let i = 0; i < 6; i++) seen.add((await (await fetch(demo.url)).json()).node);
    assert.deepEqual([...seen].sort(), ["x", "y"]);
  });
});
