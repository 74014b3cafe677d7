"use strict";
// Makes docs/demo.png and docs/demo-dark.png from the running demo: node tests/e2e/lib/shot.js http://localhost:8080/

const path = require("node:path");
const { openBrowser } = require("./browser.js");

const TALK = [
  ["ada", "Morning! Who is on which node?"],
  ["jun", "Polling only here. My office eats upgrades."],
  ["mira", "WebSocket straight away here, and no cookie anywhere."],
  ["ada", "Each request of a session finds its node by the sid, then. Nice."],
  ["jun", "I just changed networks in the middle of a poll. Nobody noticed."],
];
const PEOPLE = {
  ada: { name: "Ada Lindqvist", transport: "default" },
  jun: { name: "Jun Tanaka", transport: "polling" },
  mira: { name: "Mira Okafor", transport: "websocket" },
};

async function main() {
  const [url, folder = path.join(__dirname, "../../../docs")] = process.argv.slice(2);
  const browser = await openBrowser();
  const pages = {};
  const taken = new Set(); // each on a node of its own
  for (const [key, { name, transport }] of Object.entries(PEOPLE)) {
    const context = await browser.newContext({ viewport: { width: 1180, height: 760 }, deviceScaleFactor: 1.5 });
    pages[key] = await context.newPage();
    for (let i = 0; i < 20; i++) {
      await pages[key].goto(`${url}?transport=${transport}&name=${encodeURIComponent(name)}`);
      await pages[key].waitForFunction(() => /^node/.test(document.querySelector("#node").textContent));
      const home = await pages[key].textContent("#node");
      if (taken.has(home)) continue;
      taken.add(home);
      break;
    }
  }
  let count = 0;
  for (const [key, text] of TALK) {
    await pages[key].fill("#text", text);
    await pages[key].keyboard.press("Enter");
    count++;
    for (const page of Object.values(pages))
      await page.waitForFunction((n) => [...document.querySelectorAll(".said .rtt")].filter((e) => e.textContent).length >= n, count);
  }
  await pages.mira.waitForTimeout(Number(process.env.WAIT_MS || 20000)); // for the curve of round trips
  for (const scheme of ["light", "dark"]) {
    await pages.mira.emulateMedia({ colorScheme: scheme });
    await pages.mira.screenshot({ path: path.join(folder, scheme === "dark" ? "demo-dark.png" : "demo.png") });
  }
  await pages.ada.setViewportSize({ width: 390, height: 800 });
  if (process.env.NARROW) await pages.ada.screenshot({ path: path.join(folder, "demo-narrow.png") });
  await browser.close();
}

main();
