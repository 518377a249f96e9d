// The traces that crates/picture makes for tests, as it writes them for the page: what the
// page is told is what it reads.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { launch, missing, open } from "./browser.mjs";

const SAMPLE = process.env.MEMSIGHT_SAMPLE;
const skip = missing || (SAMPLE ? false : "MEMSIGHT_SAMPLE does not name the example `sample` of memsight-picture");

describe("traces of memsight-picture", { skip }, () => {
  let browser;
  before(async () => { browser = await launch(); });
  after(() => browser.close());

  const sample = (...arguments_) => execFileSync(SAMPLE, arguments_, { encoding: "utf8", maxBuffer: 1 << 30 });
  const names = skip ? [] : sample().trim().split("\n").filter((name) => name !== "large");

  for (const name of names) {
    test(`every step of ${name} is drawn`, async () => {
      const data = JSON.parse(sample(name));
      const { page, quiet, close } = await open(browser, data);
      assert.equal(await page.locator(".step-count").textContent(), `step 1 of ${data.steps.length}`);
      for (const [at, step] of data.steps.entries()) {
        if (at > 0) await page.keyboard.press("ArrowRight");
        const said = await page.locator(".say").textContent();
        assert.ok(said.includes(step.say.replaceAll("`", "")), `step ${at + 1} says ${said}`);
        const { slots, arrows, odd } = await page.evaluate(() => ({
          slots: document.querySelectorAll(".dot").length,
          arrows: document.querySelectorAll(".arrows g path:not(.old)").length,
          odd: /undefined|NaN|\[object/.test(document.body.textContent)
            || [...document.querySelectorAll(".arrows g path")].some((path) => path.getAttribute("d").includes("NaN")),
        }));
        assert.equal(arrows, slots, `step ${at + 1}: an arrow for each dot`);
        assert.ok(!odd, `step ${at + 1}`);
      }
      quiet();
      await close();
    });
  }

  test("2,000 steps with 5,000 objects make a page below 3 MB", async () => {
    const { page, bytes, openedMs, quiet, close } = await open(browser, JSON.parse(sample("large", "2000", "5000")), { hash: "#step=1999" });
    console.log(`page ${(bytes / 1e6).toFixed(2)} MB, opened at its end in ${openedMs.toFixed(0)} ms`);
    assert.ok(bytes < 3e6);
    await page.keyboard.press("ArrowRight");
    assert.match(await page.locator(".step-count").textContent(), /2,000 of 2,000/);
    quiet();
    await close();
  });
});
