// Debian's Chromium, driven by playwright-core, and a page that must stay quiet.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { writePage } from "./traces.mjs";

const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";

const QUIET = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--no-first-run",
];

/** Why there is no browser to test with, if there is none. */
export const missing = existsSync(EXECUTABLE) ? false : `${EXECUTABLE} is not there: apt-get install chromium`;

export const launch = () => chromium.launch({ executablePath: EXECUTABLE, args: QUIET });

const folder = mkdtempSync(join(tmpdir(), "memsight-view-"));
let pages = 0;

/** A page with a trace; `quiet()` asserts that it logged no error and asked for nothing. */
export async function open(browser, data, { width = 1400, height = 900, scheme = "light", hash = "", motion = "reduce" } = {}) {
  const file = join(folder, `page-${++pages}.html`);
  const bytes = writePage(data, file);
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: motion });
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type())) wrong.push(message.text()); });
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("request", (request) => {
    if (!/^(file|data):/.test(request.url())) wrong.push(`asked for ${request.url()}`);
  });
  const url = pathToFileURL(file).href + hash;
  const start = performance.now();
  await page.goto(url);
  await page.waitForSelector(".step-count, .opening[role=alert]");
  const openedMs = performance.now() - start;
  return { page, bytes, openedMs, url, quiet: () => assert.deepEqual(wrong, []), close: () => context.close() };
}
