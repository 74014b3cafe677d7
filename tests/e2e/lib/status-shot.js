"use strict";
// Makes docs/status-light.png and docs/status-dark.png: node tests/e2e/lib/status-shot.js [FOLDER]
// (NARROW=1: a telephone's as well; WAIT_MS: how long traffic flows before, so that the curves have something to show).

const path = require("node:path");
const { Crew, sleep } = require("./base.js");
const { openBrowser } = require("./browser.js");
const { UPSTREAMS, startWorld, openTunnels, openTunnel } = require("./status-world.js");

async function main() {
  const folder = process.argv[2] || path.join(__dirname, "../../../docs");
  const crew = new Crew();
  const end = Date.now() + Number(process.env.WAIT_MS || 120000);
  const behave = (request) => (/bad/.test(request.target) ? "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n" : sleep(2 + Math.random() ** 8 * 120).then(() => "HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n" + "x".repeat(300)));
  const world = await startWorld(crew, { servers: Number(process.env.SERVERS || 6), check: "check interval=1000 rise=2 fall=3 timeout=500 type=tcp; sticky sid;", http: "proxy_read_timeout 1h;", behave });
  const { hawser, backends } = world;
  await openTunnels(crew, hawser.port, 1200);
  setTimeout(() => backends.games[3].kill(), 4000);
  let isOver = false;
  const flow = async () => {
    while (!isOver) await round();
  };
  const round = async () => {
    const swell = 1 + Math.sin(Date.now() / 9000);
    for (const [i, name] of UPSTREAMS.entries())
      for (let k = 0; k < (4 - i) * 4 * swell * (0.7 + Math.random()); k++) fetch(`${hawser.url}/${name}${Math.random() < 0.002 ? "/bad" : ""}`).then((r) => r.text(), () => {});
    if (Math.random() < 0.5) openTunnel(crew, hawser.port, `/${UPSTREAMS[Math.floor(Math.random() * 4)]}`).then((socket) => setTimeout(() => socket.destroy(), Math.random() * 30000), () => {});
    await sleep(200);
  };
  const flowing = flow();
  await sleep(end - Date.now());
  const browser = await openBrowser();
  crew.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, deviceScaleFactor: 1.5 });
  await page.goto(`${hawser.url}/status`);
  await page.waitForSelector("#upstreams table");
  await sleep(2500);
  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.screenshot({ path: path.join(folder, `status-${scheme}.png`) });
  }
  if (process.env.NARROW) {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.screenshot({ path: path.join(folder, "status-narrow.png"), fullPage: process.env.NARROW === "whole" });
  }
  isOver = true;
  await flowing;
  await crew.end();
}

main();
