import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";

const axe = createRequire(import.meta.url)("axe-core");
const screenshots = process.env.SCREENSHOT_DIR ?? new URL("screenshots", import.meta.url).pathname;

export const desktop = { width: 1360, height: 860 };
export const phone = { width: 390, height: 844 };

export async function openBrowser() {
  mkdirSync(screenshots, { recursive: true });
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** A page whose every error, policy violation and foreign request is remembered. */
export async function openPage(browser, origin) {
  const context = await browser.newContext({ viewport: desktop, locale: "en-GB", permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  const faults = [];
  const scripts = [];
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`));
  });
  page.on("pageerror", (error) => faults.push(`thrown: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() !== "error" && message.type() !== "warning") return;
    // Chromium reports refusals that are part of the way: "am I signed in?" before signing in, and a change of what has changed.
    const { url } = message.location();
    const expected = (/\b401\b/.test(message.text()) && url.endsWith("/api/v1/session")) || (/\b409\b/.test(message.text()) && /\/api\/v1\/(memories|blocks)\//.test(url));
    if (!expected) faults.push(`${message.type()}: ${message.text()} (${message.location().url})`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith("data:")) faults.push(`foreign request: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.request().resourceType() === "script" && response.ok()) scripts.push(response);
  });
  return { context, page, faults, scripts };
}

/** Compressed bytes of the scripts a browser fetched. */
export async function compressedBytes(scripts) {
  const bodies = await Promise.all(scripts.map((response) => response.body()));
  return bodies.reduce((sum, body) => sum + gzipSync(body, { level: 9 }).length, 0);
}

async function checkAccessibility(page, name) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const told = grave.map(({ id, help, nodes }) => `${id}: ${help}\n    ${nodes.map((node) => node.html.slice(0, 160)).join("\n    ")}`);
  assert.deepEqual(told, [], `${name}: accessibility`);
}

async function checkFits(page, name) {
  const overflow = await page.evaluate(() =>
    Math.max(...[document.documentElement, ...document.querySelectorAll("main")].map((box) => box.scrollWidth - box.clientWidth)),
  );
  assert.ok(overflow <= 0, `${name}: the page is ${overflow} px wider than the screen`);
}

/** Judges a settled page and keeps its picture. */
export async function record(page, name) {
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(200);
  await checkAccessibility(page, name);
  await checkFits(page, name);
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
  console.log(`  ok ${name}`);
}
