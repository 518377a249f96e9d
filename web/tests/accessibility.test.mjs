// axe-core on the page as it is read: light and dark, picture and tables, wide and narrow.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { launch, missing, open } from "./browser.mjs";
import { dangling, story } from "./traces.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

describe("axe-core", { skip: missing }, () => {
  let browser;
  before(async () => { browser = await launch(); });
  after(() => browser.close());

  async function findings(data, options, keys = []) {
    const { page, quiet, close } = await open(browser, data, options);
    for (const key of keys) await page.keyboard.press(key);
    quiet();
    // Evaluated by the test's own channel, which the page's policy does not bind.
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    await close();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary}`));
  }

  for (const scheme of ["light", "dark"]) {
    test(`finds nothing serious in ${scheme}`, async () => {
      for (const [data, options, keys] of [
        [story(), { hash: "#step=4" }],
        [story(), { hash: "#step=15" }, ["p"]],
        [story(), { hash: "#step=10" }, ["t"]],
        [story(), { hash: "#step=10" }, ["/"]],
        [story(), { hash: "#step=8", width: 420, height: 800 }, ["i"]],
        [dangling(), { hash: "#step=8" }],
        [dangling(), { hash: "#step=3" }, ["?"]],
      ]) assert.deepEqual(await findings(data, { ...options, scheme }, keys), []);
    });
  }

  test("finds nothing serious with an object selected", async () => {
    const { page, close } = await open(browser, story(), { hash: "#step=12" });
    await page.locator(".box-head").nth(3).press("Enter");
    await page.evaluate(AXE);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id }) => id), []);
    await close();
  });
});
