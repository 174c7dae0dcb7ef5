// The whole way of a first user on a real browser against a running server.
//   HEARTH_URL        where the server answers
//   HEARTH_SETUP_URL  the set-up link it printed
//   SCREENSHOT_DIR    where the pictures go (default: e2e/screenshots)
import assert from "node:assert/strict";
import * as admin from "./admin.mjs";
import { conversation, nightly } from "./conversation.mjs";
import * as memory from "./memory.mjs";
import { compressedBytes, desktop, openBrowser, openPage, phone, record } from "./support.mjs";

const origin = process.env.HEARTH_URL?.replace(/\/$/, "");
const setupUrl = process.env.HEARTH_SETUP_URL;
assert.ok(origin && setupUrl, "HEARTH_URL and HEARTH_SETUP_URL must name a running server and its set-up link");

const username = "mika";
const password = "a quiet ember under grey ash";
const question = "Which animals does Ana feed at work?";
const scriptBudgetBytes = 200 * 1000;

const browser = await openBrowser();
const { context, page, faults, scripts } = await openPage(browser, origin);
const button = (name) => page.getByRole("button", { name, exact: true });

async function firstRun() {
  await page.goto(setupUrl);
  await page.getByLabel("Workspace name").fill("Harbour lab");
  await page.getByLabel("Your username").fill(username);
  await page.getByLabel("Password").fill("short");
  await page.getByText("Too short: 7 more characters.").waitFor();
  assert.ok(await button("Create workspace").isDisabled(), "a short password is not accepted");
  await page.getByLabel("Password").fill(password);
  await record(page, "setup");
  await button("Create workspace").click();
  await page.getByRole("heading", { name: "Nothing is remembered yet" }).waitFor();
  await record(page, "memory-empty");
}

async function makeKey() {
  await page.getByRole("link", { name: "Make an API key" }).click();
  await page.getByRole("heading", { name: "No key yet" }).waitFor();
  await button("New key").click();
  await page.getByRole("textbox", { name: "Name" }).fill("journey");
  await record(page, "api-key-new");
  await button("Create key").click();
  const apiKey = await page.getByTestId("api-key").textContent();
  assert.ok(apiKey && apiKey.length >= 20, "the key is shown");
  assert.ok(await button("Done").isDisabled(), "the key stays until it is stored");
  await page.keyboard.press("Escape");
  await page.getByTestId("api-key").waitFor();
  await record(page, "api-key-once");
  await page.getByText("I have stored it").click();
  await button("Done").click();
  await button("Revoke journey").waitFor();
  assert.ok(!(await page.content()).includes(apiKey), "the key is gone from the page");
  return apiKey;
}

async function post(apiKey, events) {
  const answer = await fetch(`${origin}/api/v1/events/batch`, {
    method: "POST",
    headers: { "X-API-Key": apiKey, "Content-Type": "application/json" },
    body: JSON.stringify({ events }),
  });
  assert.equal(answer.status, 201, await answer.clone().text());
  assert.equal((await answer.json()).accepted, events.length);
}

async function makeAndRevokeSecondKey() {
  await button("New key").click();
  await page.getByRole("textbox", { name: "Name" }).fill("old laptop");
  await button("Create key").click();
  await page.getByText("I have stored it").click();
  await button("Done").click();
  await button("Revoke old laptop").click();
  await button("Revoke key").click();
  await button("Revoke old laptop").waitFor({ state: "detached" });
  await page.getByText("revoked", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Dismiss", includeHidden: true }).click();
  await record(page, "api-keys");
}

async function search() {
  await page.getByRole("link", { name: "Memory" }).click();
  await button("s-14 4").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type(question);
  await page.keyboard.press("Enter");
  const best = page.getByRole("list", { name: "Hits" }).getByRole("button").first();
  await best.waitFor();
  assert.match(await best.textContent(), /Feeding the otters/, "the right turn comes first");
  assert.ok((await best.locator("mark").allTextContents()).includes("Feeding"), "matched words are marked");
  const why = page.getByRole("table", { name: "Why this one" });
  const values = (await why.locator("td").allTextContents()).map(Number);
  const score = values.pop();
  const sum = values.reduce((total, value) => total + value, 0);
  assert.ok(values.length > 1 && Math.abs(sum - score) <= 0.0005 * (values.length + 1), `parts ${sum} add up to the score ${score}`);
  await page.getByRole("heading", { name: "Around it" }).waitFor();
  await record(page, "memory");
  await best.focus();
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.locator("[data-hit][aria-pressed=true]").evaluate((hit) => hit === document.activeElement), true, "arrow keys walk the hits");
  await page.keyboard.press("ArrowUp");
}

async function timeline() {
  await page.getByRole("link", { name: "Open in timeline" }).click();
  const opened = page.locator("article[aria-current=true]");
  await opened.waitFor();
  assert.match(await opened.textContent(), /Feeding the otters/, "the hit opens highlighted");
  await record(page, "timeline-hit");

  await button("s-14 4").click();
  await opened.waitFor({ state: "detached" });
  const code = page.getByText('return <b>"half ration"</b>');
  await code.waitFor();
  assert.match(await code.textContent(), /\n {4}if tank/, "code keeps its line breaks and is never markup");
  await record(page, "timeline");

  const list = page.getByRole("region", { name: "Events, newest first" });
  const end = page.getByText("This is where it begins.");
  for (let turn = 0; turn < 60 && !(await end.isVisible()); turn += 1) {
    await list.evaluate((element) => element.scrollBy(0, element.clientHeight * 4));
    await page.waitForTimeout(60);
  }
  await list.evaluate((element) => element.scrollTo(0, element.scrollHeight));
  await page.getByText("Ticket 1000:").waitFor();
  assert.ok((await list.locator("article").count()) < 100, "only rows in sight are drawn");
}

async function account() {
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Command or search" }).fill("dark");
  await record(page, "palette");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Command or search" }).fill("devices");
  await page.keyboard.press("Enter");
  await page.getByText("this device").waitFor();
  await record(page, "devices-dark");
  await button(`Account: ${username}`).click();
  await record(page, "account-dark");
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Welcome back" }).waitFor();
  assert.equal((await context.cookies()).some((cookie) => cookie.name === "hearth_session" && cookie.value), false, "the session cookie is gone");
}

async function signIn() {
  const link = `/memory?${new URLSearchParams({ q: question })}`;
  await page.goto(origin + link);
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("Password").fill("not the right password");
  await button("Sign in").click();
  await page.getByRole("alert").waitFor();
  assert.match(await page.getByRole("alert").textContent(), /Request/, "an error shows its request id");
  await record(page, "sign-in-dark");
  await page.getByLabel("Password").fill(password);
  await button("Sign in").click();
  await page.getByRole("table", { name: "Why this one" }).waitFor();
  await record(page, "memory-dark");
  await page.goto(`${origin}/memory/timeline?session=s-17`);
  await page.getByText("Penguins again today").waitFor();
  await record(page, "timeline-dark");
}

async function onPhone() {
  await page.setViewportSize(phone);
  await page.emulateMedia({ colorScheme: "light" });
  await page.evaluate(() => localStorage.removeItem("hearth-theme"));
  await page.goto(`${origin}/memory?${new URLSearchParams({ q: question })}`);
  const best = page.getByRole("list", { name: "Hits" }).getByRole("button").first();
  await best.waitFor();
  await record(page, "phone-memory");
  await best.click();
  await page.getByRole("table", { name: "Why this one" }).waitFor();
  await record(page, "phone-why");
  await page.getByRole("link", { name: "Open in timeline" }).click();
  await page.locator("article[aria-current=true]").waitFor();
  await record(page, "phone-timeline");
  await page.goto(`${origin}/settings/api-keys`);
  await button("Revoke journey").waitFor();
  await record(page, "phone-api-keys");
  await page.setViewportSize(desktop);
  await page.goto(`${origin}/no/such/page`);
  await page.getByRole("heading", { name: "There is no page here" }).waitFor();
  await record(page, "not-found");
}

async function firstLoadBudget() {
  await page.goto("about:blank");
  scripts.length = 0;
  await page.goto(`${origin}/memory`);
  await page.getByRole("searchbox", { name: "Search memory" }).waitFor();
  await page.waitForLoadState("networkidle");
  const bytes = await compressedBytes(scripts);
  console.log(`  first load: ${Math.round(bytes / 1000)} kB of compressed scripts`);
  assert.ok(bytes <= scriptBudgetBytes, `first load is ${bytes} bytes, above ${scriptBudgetBytes}`);
}

try {
  await firstRun();
  const apiKey = await makeKey();
  await makeAndRevokeSecondKey();
  await post(apiKey, conversation);
  await post(apiKey, nightly);
  await search();
  await timeline();
  await memory.walk(page, origin, apiKey);
  await memory.looks(page, origin);
  await admin.people(page, browser, origin);
  await admin.audit(page);
  await admin.looks(page, origin);
  await account();
  await signIn();
  await onPhone();
  await firstLoadBudget();
  assert.deepEqual(faults, [], "no error, warning or policy violation in the browser");
  console.log("journey: passed");
} catch (error) {
  await page.screenshot({ path: `${process.env.SCREENSHOT_DIR ?? new URL("screenshots", import.meta.url).pathname}/failed.png` }).catch(() => {});
  console.error(faults.join("\n"));
  throw error;
} finally {
  await browser.close();
}
