"use strict";
// Debian's Chromium, driven by playwright-core.

const fs = require("node:fs");
const { chromium } = require("playwright-core");

const PLACES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const findChromium = () => PLACES.find((place) => place && fs.existsSync(place));

async function openBrowser() {
  return chromium.launch({
    executablePath: findChromium(),
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
}

module.exports = { findChromium, openBrowser };
