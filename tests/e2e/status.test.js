"use strict";
// What hawser tells of itself: the page for people, the module's table, metrics, JSON.

const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { after, before, describe, test } = require("node:test");
const { Crew, isSanitized, freePort, sleep, until } = require("./lib/base.js");
const { findChromium, openBrowser } = require("./lib/browser.js");
const { parseExposition } = require("./lib/exposition.js");
const { startConfig, startOneliner, runHawser } = require("./lib/hawser.js");
const { startNode } = require("./lib/nodes.js");
const { checkSchema } = require("./lib/schema.js");
const { joinClient } = require("./lib/sio.js");
const { UPSTREAMS, SERVERS, LOCATIONS, startBackend, startWorld, openTunnel, openTunnels, echo } = require("./lib/status-world.js");
const { ask, connect } = require("./lib/wire.js");

const DOCS = path.join(__dirname, "../../docs");
const CHECK = "check interval=200 rise=1 fall=1 timeout=1000 type=tcp;";

const get = async (hawser, target) => {
  const response = await fetch(hawser.url + target);
  assert.equal(response.status, 200, target);
  return { type: response.headers.get("content-type"), text: await response.text(), headers: response.headers };
};
const api = async (hawser) => JSON.parse((await get(hawser, "/api")).text);
const metrics = async (hawser) => parseExposition((await get(hawser, "/metrics")).text);
const peersOf = (data) => data.upstreams.flatMap(({ peers }) => peers);
const sum = (family, labels = {}) => family.samples.filter((one) => Object.entries(labels).every(([name, value]) => one.labels[name] === value)).reduce((all, { value }) => all + value, 0);
const cpuTicks = (pid) => {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1].split(" ");
  return Number(fields[11]) + Number(fields[12]);
};

/* Reads events of /status as they come: { events, wire }. */
async function watch(crew, hawser) {
  const wire = await connect(crew, hawser.port);
  wire.write("GET /status?format=events HTTP/1.1\r\nHost: a\r\n\r\n");
  await wire.takeTo("\r\n\r\n");
  return { wire, events: () => [...wire.all.matchAll(/^data: (\{.*\})$/gm)].map(([, json]) => JSON.parse(json)) };
}

describe("tables, metrics and JSON", () => {
  const crew = new Crew();
  let world, hawser;
  before(async () => {
    world = await startWorld(crew, { servers: 3, check: CHECK });
    ({ hawser } = world);
    await world.backends.games[1].kill();
    const verdicts = async (state) => peersOf(await api(hawser)).filter((peer) => peer.state === state).length;
    await until(async () => (await verdicts("up")) === 11 && (await verdicts("down")) === 1, "all verdicts");
  });
  after(() => crew.end());

  test("the module's eight columns in its order, those that are down in red", async () => {
    for (const target of ["/table", "/status?format=html", "/json?format=html"]) {
      const { text, type } = await get(hawser, target);
      assert.match(type, /^text\/html/);
      assert.deepEqual([...text.matchAll(/<th>(.*?)<\/th>/g)].map(([, name]) => name), ["Index", "Name", "Status", "Busyness", "Rise counts", "Fall counts", "Access counts", "Check type"]);
      const rows = [...text.matchAll(/<tr( bgcolor="#FF0000")?>\s*((?:<td>.*?<\/td>\s*){8})<\/tr>/g)];
      assert.equal(rows.length, 12);
      rows.forEach(([, red, cells], i) => {
        const [index, name, status, busyness, rise, fall, access, kind] = [...cells.matchAll(/<td>(.*?)<\/td>/g)].map(([, cell]) => cell);
        const isDown = world.all[i] === world.backends.games[1];
        assert.deepEqual([index, name, status, busyness, access, kind], [String(i), world.all[i].name, isDown ? "down" : "up", "0", "0", "tcp"]);
        assert.equal(Boolean(red), isDown);
        assert.ok(isDown ? Number(fall) > 0 && rise === "0" : Number(rise) > 0 && fall === "0");
      });
    }
  });

  test("as CSV and as JSON", async () => {
    const csv = await get(hawser, "/csv");
    assert.match(csv.type, /^text\/plain/);
    const rows = csv.text.trimEnd().split("\n").map((line) => line.split(","));
    assert.equal(rows.length, 12);
    for (const target of ["/json", "/status?format=json"]) {
      const json = await get(hawser, target);
      assert.match(json.type, /^application\/json/);
      const { servers } = JSON.parse(json.text);
      assert.equal(servers.total, 12);
      servers.server.forEach((one, i) => {
        assert.deepEqual(Object.keys(one), ["index", "upstream", "name", "status", "busyness", "rise", "fall", "access", "type"]);
        assert.deepEqual([String(one.index), one.upstream, one.name, one.status], rows[i].slice(0, 4));
        assert.equal(one.upstream, UPSTREAMS[Math.floor(i / 3)]);
      });
    }
  });

  test("GET and HEAD are answered, all else is a 405", async () => {
    for (const target of ["/status", "/table", "/csv", "/json", "/metrics", "/api"]) {
      const { headers, text } = await get(hawser, target);
      const head = await ask(crew, hawser.port, `HEAD ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      assert.deepEqual([head.status, head.get("content-type"), head.body], [200, headers.get("content-type"), ""]);
      assert.equal(head.get("cache-control"), "no-store");
      if (target === "/status") assert.equal(head.get("content-length"), String(Buffer.byteLength(text)));
      for (const method of ["POST", "PUT", "DELETE"])
        assert.equal((await ask(crew, hawser.port, `${method} ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)).status, 405, `${method} ${target}`);
    }
    const events = await ask(crew, hawser.port, "HEAD /status?format=events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assert.deepEqual([events.status, events.get("content-type")], [200, "text/event-stream"]);
  });

  test("the JSON is what its schema says", async () => {
    const schema = JSON.parse(fs.readFileSync(path.join(DOCS, "status-api.schema.json"), "utf8"));
    await openTunnel(crew, hawser.port, "/chat");
    const data = await api(hawser);
    checkSchema(data, schema);
    const wire = await watch(crew, hawser);
    await until(() => wire.events().length >= 2, "two events");
    for (const event of wire.events()) checkSchema({ history: data.history, ...event }, schema);
    const down = data.upstreams[1].peers[1];
    assert.deepEqual([down.state, down.up, down.why], ["down", false, "connection refused"]);
    assert.ok(Math.abs(down.since_ms - Date.now()) < 60000 && Math.abs(data.started_ms - Date.now()) < 60000);
    assert.deepEqual(data.reloads, { done: 0, failed: 0, last_ms: data.reloads.last_ms, last_done: true });
    assert.throws(() => checkSchema({ ...data, tunnels: -1 }, schema));
    assert.throws(() => checkSchema({ ...data, more: 1 }, schema));
  });

  test("metrics parse, and count what passes", async () => {
    const first = await metrics(hawser);
    assert.equal((await get(hawser, "/metrics")).type, "text/plain; version=0.0.4; charset=utf-8");
    assert.equal(first.get("hawser_build_info").samples[0].labels.version, (await api(hawser)).version);
    assert.ok(sum(first.get("process_resident_memory_bytes")) > 1 << 20);
    assert.equal(sum(first.get("hawser_peer_up")), 11);
    assert.equal(sum(first.get("hawser_peer_up"), { peer: world.backends.games[1].name }), 0);
    const of = { upstream: "orders" };
    const before = sum(first.get("hawser_peer_responses_total"), { ...of, code: "2xx" });
    for (let i = 0; i < 10; i++) await get(hawser, "/orders");
    const second = await metrics(hawser);
    assert.equal(sum(second.get("hawser_peer_responses_total"), { ...of, code: "2xx" }) - before, 10);
    assert.equal(second.get("hawser_peer_response_seconds").samples.filter(({ name, labels }) => name.endsWith("_count") && labels.upstream === "orders").reduce((all, { value }) => all + value, 0) >= 10, true);
  });

  test("bytes of a tunnel count while it is open, and what ended it afterwards", async () => {
    const MIB = 1 << 20;
    const before = await metrics(hawser);
    const socket = await openTunnel(crew, hawser.port, "/feed");
    await echo(socket, MIB);
    const open = await metrics(hawser);
    for (const name of ["hawser_peer_sent_bytes_total", "hawser_peer_received_bytes_total"]) {
      const grown = sum(open.get(name), { upstream: "feed" }) - sum(before.get(name), { upstream: "feed" });
      assert.ok(grown >= MIB && grown < MIB + 2000, `${name}: ${grown}`);
    }
    assert.equal(sum(open.get("hawser_peer_tunnels"), { upstream: "feed" }), 1);
    const ended = sum(open.get("hawser_tunnels_ended_total"));
    socket.resetAndDestroy();
    await until(async () => sum((await metrics(hawser)).get("hawser_tunnels_ended_total"), { why: "client_reset" }) >= 1, "the tunnel's end");
    const gone = await metrics(hawser);
    assert.equal(sum(gone.get("hawser_tunnels_ended_total")), ended + 1);
    const sent = "hawser_peer_sent_bytes_total";
    assert.equal(sum(gone.get(sent), { upstream: "feed" }), sum(open.get(sent), { upstream: "feed" }));
  });

  test("every metric is documented, and the dashboard asks for no others", async () => {
    const families = await metrics(hawser);
    const page = fs.readFileSync(path.join(DOCS, "metrics.md"), "utf8");
    const documented = [...page.matchAll(/^\| `([a-z_]+)` \| (\w+) \|/gm)].map(([, name, type]) => `${name} ${type}`);
    assert.deepEqual(documented.sort(), [...families].map(([name, { type }]) => `${name} ${type}`).sort());
    const dashboard = JSON.parse(fs.readFileSync(path.join(DOCS, "grafana.json"), "utf8"));
    const queries = JSON.stringify(dashboard.panels) + JSON.stringify(dashboard.templating);
    const asked = new Set(queries.match(/\b(hawser|process)_[a-z_]+/g));
    assert.ok(asked.size > 15);
    for (const name of asked) assert.ok(families.has(name) || families.get(name.replace(/_(bucket|sum|count)$/, ""))?.type === "histogram", name);
    const ids = dashboard.panels.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const panel of dashboard.panels) assert.ok(panel.title && panel.gridPos && (panel.type === "row" || panel.targets.every(({ expr }) => expr)), JSON.stringify(panel).slice(0, 200));
  });
});

describe("who may see it, and for how long", () => {
  test("allow and deny in its location hold", async (t) => {
    const hawser = await startConfig(t, ({ port }) => `http { server { listen 127.0.0.1:${port};
      location = /status { allow 127.0.0.7; deny all; check_status; } location = /metrics { deny all; metrics; } location = /api { allow 127.0.0.0/8; deny all; status_api; } } }`);
    const status = async (target, localAddress) => (await ask(t, hawser.port, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`, { localAddress })).status;
    assert.deepEqual([await status("/status", "127.0.0.1"), await status("/status", "127.0.0.7")], [403, 200]);
    assert.deepEqual([await status("/metrics", "127.0.0.1"), await status("/api", "127.0.0.1")], [403, 200]);
    assert.equal(await status("/status?format=events", "127.0.0.1"), 403);
  });

  test("a reload is counted, ends the events, and keeps what was counted", async (t) => {
    const world = await startWorld(t, { servers: 1, top: "worker_processes 2;" });
    const { hawser } = world;
    const tunnel = await openTunnel(t, hawser.port, "/chat");
    await echo(tunnel, 5000);
    const before = peersOf(await api(hawser))[0];
    const first = await watch(t, hawser);
    await until(() => first.events().length, "an event");
    hawser.reload();
    await first.wire.ended();
    await until(async () => (await api(hawser)).reloads.done === 1, "the reload");
    const again = await watch(t, hawser);
    await until(() => again.events().length, "an event");
    const peer = peersOf(again.events()[0])[0];
    assert.deepEqual([peer.tunnels, peer.requests, peer.bytes_sent], [1, before.requests, before.bytes_sent]);
    hawser.reload("http { nonsense; }");
    await until(async () => (await api(hawser)).reloads.failed === 1, "the refusal");
    const families = await metrics(hawser);
    assert.deepEqual([sum(families.get("hawser_reloads_total"), { result: "done" }), sum(families.get("hawser_last_reload_successful"))], [1, 0]);
    await echo(tunnel, 5000);
  });

  test("1,000 watchers that never read cost memory that is bounded, and nobody else", async (t) => {
    const world = await startWorld(t, { servers: 4 });
    const { hawser } = world;
    const wires = [];
    for (let i = 0; i < 1000; i++) {
      const wire = await connect(t, hawser.port);
      wire.socket.pause();
      wire.write("GET /status?format=events HTTP/1.1\r\nHost: a\r\n\r\n");
      wires.push(wire);
    }
    const reader = await watch(t, hawser);
    await until(() => reader.events().length >= 3, "events for one who reads", 20000);
    // Until the sockets' buffers are full and each of them is skipped: then it costs no more.
    let memory = 0;
    await until(async () => {
      const now = hawser.pss();
      const isSettled = memory && now < memory * 1.02 + (1 << 20);
      memory = now;
      if (!isSettled) await sleep(3000);
      return isSettled;
    }, "memory to settle", 60000);
    assert.ok(memory < (isSanitized ? 600 : 150) << 20, `${memory >> 20} MiB`);
    const asked = performance.now();
    await get(hawser, "/chat");
    assert.ok(performance.now() - asked < (isSanitized ? 4000 : 1000));
    for (const wire of wires) wire.destroy();
    await until(async () => (await api(hawser)).connections.active < 20, "them to be gone");
  });

  test("names may be long and awkward", async (t) => {
    const name = `a,"b<c>&${"n".repeat(150)}\\`;
    const hawser = await startConfig(t, ({ port, folder }) => `http { upstream '${name.replace(/\\/g, "\\\\")}' { ${Array.from({ length: 150 }, (_, i) => `server 'unix:${folder}/<${i}>,&"${"s".repeat(40)}';`).join(" ")} }
      server { listen 127.0.0.1:${port}; ${LOCATIONS} } }`);
    const [upstream] = (await api(hawser)).upstreams;
    assert.equal(upstream.name, name);
    const families = await metrics(hawser);
    assert.equal(families.get("hawser_peer_up").samples.length, 150);
    families.get("hawser_peer_up").samples.forEach(({ labels }, i) => assert.deepEqual(labels, { upstream: name, peer: upstream.peers[i].name }));
    const { servers } = JSON.parse((await get(hawser, "/json")).text);
    assert.deepEqual([servers.server[7].upstream, servers.server[7].name], [name, upstream.peers[7].name]);
    const quoted = (text) => `"${text.replaceAll('"', '""')}"`;
    assert.ok((await get(hawser, "/csv")).text.includes(`\n7,${quoted(name)},${quoted(upstream.peers[7].name)},up,`));
    assert.match((await get(hawser, "/table")).text, /<td>unix:[^<>"]*&#60;7&#62;,&#38;&#34;s+<\/td>/);
  });

  test("where nothing reports, nothing is served", async (t) => {
    const hawser = await startConfig(t, ({ port, folder }) => `http { server { listen 127.0.0.1:${port}; root ${folder}; } }`);
    for (const target of ["/status", "/metrics", "/api"]) assert.equal((await fetch(hawser.url + target)).status, 404);
  });
});

test("sessions are told by their transport, whatever other tunnels there are", async (t) => {
  const node = await startNode(t, { name: "a" });
  const hawser = await startConfig(
    t,
    ({ port }) => `http { upstream nodes { sticky sid; server 127.0.0.1:${node.port}; }
      server { listen 127.0.0.1:${port}; location = /api { status_api; } location / { proxy_pass http://nodes; } } }`,
  );
  const clients = [];
  for (const mode of ["polling", "polling", "upgrading", "websocket", "websocket", "websocket"]) clients.push(await joinClient(t, hawser.url, { mode }));
  const seen = async (wanted) => {
    const numbers = async () => peersOf(await api(hawser)).map(({ tunnels, sessions, polling }) => `${tunnels} ${sessions} ${polling}`)[0];
    await until(async () => (await numbers()) === wanted, wanted);
  };
  await seen("4 3 2");
  for (const { mode, socket } of clients) if (mode !== "polling") socket.disconnect();
  await until(async () => peersOf(await api(hawser))[0].tunnels === 0, "the tunnels' end");
  assert.ok(peersOf(await api(hawser))[0].polling >= 2);
});

describe("the one-liner's", () => {
  test("page, metrics and JSON are on a port of their own, for this machine alone", async (t) => {
    const backend = await startBackend(t);
    const port = await freePort();
    const hawser = await startOneliner(t, [`http://127.0.0.1:${backend.port}`], { args: ["-a", `:${port}`] });
    const status = { url: `http://127.0.0.1:${port}` };
    await until(() => hawser.out.includes(`status page: http://127.0.0.1:${port}/ (for Prometheus: /metrics, JSON: /api)\n`), () => hawser.out);
    assert.match((await get(status, "/")).text, /<title>hawser status<\/title>/);
    assert.equal(sum((await metrics(status)).get("hawser_peer_up"), { upstream: "nodes" }), 1);
    assert.equal((await api(status)).listeners.length, 2);
    assert.equal(await (await fetch(`${hawser.url}/metrics`)).text(), "ok", "the application's own");
    assert.equal((await fetch(`${status.url}/socket.io/`)).status, 404);
    await assert.rejects(connect(t, port, { host: "127.0.0.2" }));
    hawser.reload();
    await until(async () => (await api(status)).reloads.done === 1, "the reload");
  });

  test("gives way when its port is taken, unless it was asked for", async (t) => {
    const [listen, other] = [await freePort(), await freePort()];
    const taken = await startBackend(t);
    const asked = await runHawser(["-l", `127.0.0.1:${listen}`, "-a", `:${taken.port}`, "127.0.0.1:1"]);
    assert.equal(asked.code, 1);
    assert.match(asked.log, new RegExp(`bind\\(\\) to 127.0.0.1:${taken.port} failed[^]*choose another with -a :\\d+`));
    const same = await runHawser(["-t", "-l", `127.0.0.1:${listen}`, "-a", `${listen}`, "127.0.0.1:1"]);
    assert.match(same.log, /cannot be on the application's own port/);
    const own = await startOneliner(t, ["127.0.0.1:1"], { args: ["-a", `:${other}`] });
    assert.equal(own.ending, undefined);
    const tested = await runHawser(["-t", "-l", "127.0.0.1:8081", "127.0.0.1:1"]);
    assert.deepEqual([tested.code, /no status page: port 8081 is in use by the application/.test(tested.log)], [0, true], tested.log);
  });
});

describe("the page", { skip: findChromium() ? false : "needs Chromium" }, () => {
  const crew = new Crew();
  const TUNNELS = 2000;
  let world, hawser, browser;
  before(async () => {
    world = await startWorld(crew, { check: CHECK, top: "worker_rlimit_nofile 16384; events { worker_connections 8192; }" });
    ({ hawser } = world);
    browser = await openBrowser();
    crew.after(() => browser.close());
    await openTunnels(crew, hawser.port, TUNNELS);
  });
  after(() => crew.end());

  async function open(t, { colorScheme, viewport, target = "/status" } = {}) {
    const context = await browser.newContext({ colorScheme, viewport });
    t.after(() => context.close());
    const page = await context.newPage();
    page.faults = [];
    page.on("pageerror", (error) => page.faults.push(error.message));
    page.on("console", (message) => message.type() === "error" && page.faults.push(message.text()));
    page.on("request", (request) => request.url().startsWith(hawser.url) || page.faults.push(`asked ${request.url()}`));
    await page.goto(hawser.url + target);
    await page.waitForFunction((count) => document.querySelectorAll("#upstreams tbody tr").length === count, UPSTREAMS.length * SERVERS);
    return page;
  }
  const rowOf = (page, backend) => page.locator("#upstreams tr", { hasText: backend.name });
  const tunnelsShown = (page) => page.evaluate(() => Number(document.querySelector("#tiles dd").textContent.replace(/\D/g, "")));
  const becomes = (page, what, test, argument) => page.waitForFunction(test, argument, { timeout: 8000 }).catch(() => assert.fail(`waited for ${what}`));

  test("all of it is there, in both colour schemes and on a telephone", async (t) => {
    const lightness = {};
    for (const colorScheme of ["light", "dark"]) {
      const page = await open(t, { colorScheme });
      assert.equal(await page.locator("#upstreams section").count(), 4);
      assert.equal(await page.locator("#listeners tr").count(), 1);
      await becomes(page, "the tunnels", (n) => Number(document.querySelector("#tiles dd").textContent.replace(/\D/g, "")) === n, TUNNELS);
      assert.ok((await page.locator("svg.spark").count()) >= 7);
      lightness[colorScheme] = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor.match(/\d+/g).reduce((all, one) => all + Number(one), 0) / 3);
      assert.deepEqual(page.faults, []);
    }
    assert.ok(lightness.light > 200 && lightness.dark < 60, JSON.stringify(lightness));
    const page = await open(t, { viewport: { width: 390, height: 844 } });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 390), "no sideways scrolling");
  });

  test("a server that dies and a tunnel that opens show within a second", async (t) => {
    const page = await open(t);
    const victim = world.backends.feed[7];
    await becomes(page, "all up", () => !document.querySelector("#upstreams tr.down"));
    const before = await tunnelsShown(page);
    await page.evaluate((name) => {
      window.seen = {};
      new MutationObserver(() => {
        const row = [...document.querySelectorAll("#upstreams tr")].find((one) => one.textContent.includes(name));
        if (row.className === "down") window.seen.down ??= Date.now();
        if (document.querySelector("#tiles dd").textContent.replace(/\D/g, "") === String(window.wanted)) window.seen.tunnel ??= Date.now();
      }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    }, victim.name);
    await page.evaluate((n) => (window.wanted = n), before + 1);
    const opened = Date.now();
    await openTunnel(t, hawser.port, "/chat");
    await becomes(page, "the tunnel", () => window.seen.tunnel);
    await victim.kill();
    await until(() => hawser.log.includes(`upstream server ${victim.name} of "feed" is down`), "the check's verdict");
    const down = Date.now();
    await becomes(page, "the server's end", () => window.seen.down);
    const seen = await page.evaluate(() => window.seen);
    const most = isSanitized ? 4000 : 1500; // a second, and the machine's own business
    assert.ok(seen.tunnel - opened < most && seen.down - down < most, JSON.stringify({ tunnel: seen.tunnel - opened, down: seen.down - down }));
    assert.match(await rowOf(page, victim).textContent(), /down/);
    await page.waitForSelector("#problems li");
    assert.match(await page.textContent("#problems"), new RegExp(`${victim.name} of feed is down: connection refused`));
    assert.match(await page.textContent("#news"), new RegExp(`${victim.name} of feed is down`));
    assert.equal(await page.title(), "▲ hawser status");
    await victim.revive();
    await becomes(page, "it to be up again", () => !document.querySelector("#upstreams tr.down") && !document.querySelector("#problems li"));
    assert.deepEqual(page.faults, []);
  });

  test("search and keyboard", async (t) => {
    const page = await open(t);
    const shown = () => page.evaluate(() => [...document.querySelectorAll("#upstreams tbody tr")].filter((row) => row.offsetParent).length);
    await page.keyboard.press("Tab");
    assert.match(await page.evaluate(() => document.activeElement.textContent), /^Skip to/);
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.id), "search");
    await page.keyboard.type("games");
    assert.equal(await shown(), SERVERS);
    assert.match(await page.textContent("#found"), /^20 servers/);
    await page.keyboard.press("Escape");
    assert.equal(await shown(), UPSTREAMS.length * SERVERS);
    await page.keyboard.type(`${world.backends.chat[3].name} up`);
    assert.equal(await shown(), 1);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    assert.equal(await shown(), 0);
    await page.keyboard.press("Space");
    assert.equal(await shown(), UPSTREAMS.length * SERVERS);
    assert.ok(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== "none"), "focus is seen");
    const tree = await page.evaluate(() => ({
      tables: [...document.querySelectorAll("table")].every((table) => table.caption || table.closest("[aria-labelledby]")),
      headers: [...document.querySelectorAll("th")].every((cell) => cell.scope),
      live: [...document.querySelectorAll("[aria-live], [role=status]")].length,
    }));
    assert.deepEqual([tree.tables, tree.headers], [true, true]);
    assert.ok(tree.live <= 3, "few places that speak up");
  });

  test("says when the connection is lost, and is back after a reload by itself", async (t) => {
    const page = await open(t);
    await page.evaluate(() => {
      window.lost = 0;
      new MutationObserver(() => document.querySelector("#live").className.includes("off") && window.lost++).observe(document.querySelector("#live"), { attributes: true });
    });
    hawser.reload();
    await becomes(page, "the loss to be said", () => window.lost);
    await becomes(page, "it to be back", () => document.querySelector("#live").className === "live on");
    assert.equal(await tunnelsShown(page), (await api(hawser)).tunnels);
    assert.equal(await page.locator("#upstreams tbody tr").count(), UPSTREAMS.length * SERVERS);
  });

  test("what servers and configurations say is text, never markup", async (t) => {
    const backend = await startBackend(t);
    const other = await startConfig(t, ({ port }) => `http { upstream "<img src=x onerror=alert(1)>" { server 127.0.0.1:${backend.port}; }
      server { listen 127.0.0.1:${port}; server_name "<b>"; location = /status { check_status; } } }`);
    const context = await browser.newContext();
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(`${other.url}/status`);
    await page.waitForSelector("#upstreams h2");
    assert.equal(await page.textContent("#upstreams h2"), "<img src=x onerror=alert(1)>");
    assert.equal(await page.locator("img, b").count(), 0);
    assert.match((await fetch(`${other.url}/status`)).headers.get("content-security-policy"), /default-src 'none'/);
  });

  test("without a script there is a way to the table", async (t) => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    t.after(() => context.close());
    const page = await context.newPage();
    await page.goto(`${hawser.url}/status`);
    await page.click("noscript a");
    assert.equal(await page.locator("th").first().textContent(), "Index");
  });

  test("costs little while somebody watches", { skip: isSanitized }, async (t) => {
    await open(t);
    const SECONDS = 5;
    const measure = async () => {
      const before = cpuTicks(hawser.pid);
      await sleep(SECONDS * 1000);
      return (cpuTicks(hawser.pid) - before) / SECONDS; // ticks are hundredths of a second
    };
    const cost = await measure();
    t.diagnostic(`${cost.toFixed(1)} % of a core, 400 checks a second included`);
    assert.ok(cost < 25, `${cost} % of a core`);
  });
});
