// The Admin pages as an owner who runs the server walks through them.
import assert from "node:assert/strict";
import { openPage, phone, record } from "./support.mjs";

const guest = { username: "noor", password: "seven lanterns by the quay" };

/** An invitation is made, taken by somebody in another browser, and leaves a person to look after. */
export async function people(page, browser, origin) {
  const button = (name) => page.getByRole("button", { name, exact: true });
  await page.getByRole("link", { name: "Admin" }).click();
  await button("mika you").waitFor();
  await button("Invite").click();
  await button("Make link").click();
  const link = await page.getByTestId("invitation-link").textContent();
  await record(page, "admin-invite");
  await button("Done").click();
  assert.ok(!(await page.content()).includes(link), "the link is gone from the page");

  const theirs = await openPage(browser, origin);
  await theirs.page.goto(link);
  await theirs.page.getByLabel("Your username").fill(guest.username);
  await theirs.page.getByLabel("Password").fill(guest.password);
  await record(theirs.page, "join");
  await theirs.page.getByRole("button", { name: "Join" }).click();
  await theirs.page.getByRole("heading", { name: "Nothing is remembered yet" }).waitFor();
  assert.equal(theirs.page.url(), `${origin}/memory`, "the invitation leaves the address");

  await page.reload();
  await button(guest.username).click();
  await page.getByRole("dialog", { name: guest.username }).getByText("Chrome on Linux").waitFor();
  await record(page, "admin-person");
  await button("Close").click();
  await button(`Role of ${guest.username}: Member`).click();
  await page.getByRole("menuitemradio", { name: /Viewer/ }).click();
  await button("Undo").click();
  await button(`Role of ${guest.username}: Member`).waitFor();

  await button(guest.username).click();
  await button("Disable").click();
  await page.getByRole("dialog", { name: `Disable ${guest.username}?` }).getByRole("button", { name: "Disable" }).click();
  await button("Enable").waitFor();
  await page.keyboard.press("Escape");
  await record(page, "admin-people");
  await theirs.page.reload();
  await theirs.page.getByRole("heading", { name: "Welcome back" }).waitFor();
  assert.deepEqual(theirs.faults.filter((fault) => !/\b401\b/.test(fault)), []);
  await theirs.context.close();

  await page.getByRole("link", { name: "Invitations" }).click();
  await page.getByText(/^used /).waitFor();
  await record(page, "admin-invitations");
}

export async function audit(page) {
  const button = (name) => page.getByRole("button", { name, exact: true });
  await page.getByRole("link", { name: "Audit" }).click();
  await button("Verify chain").click();
  await page.getByText(/The chain is whole/).waitFor();
  const [download] = await Promise.all([page.waitForEvent("download"), button("Export").first().click().then(() => page.getByRole("menuitem", { name: /CSV/ }).click())]);
  assert.equal(download.suggestedFilename(), "audit.csv");
  await button("Action: any action").click();
  await page.getByRole("textbox", { name: "Action" }).fill("identity.set_role");
  await page.keyboard.press("Enter");
  // The rows from before stay in sight until the answer is there.
  await button("Disable user").waitFor({ state: "detached" });
  await page.getByText("No older rows.").waitFor();
  assert.equal(await page.locator("[data-row]").count(), 2, "a role was changed and changed back");
  await record(page, "admin-audit");
  await page.locator("[data-row]").first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Set role" }).waitFor();
  await record(page, "admin-audit-row");
  await page.keyboard.press("Escape");
}

/** What operators see of the server, and a backup that is made and proven while they look. */
async function server(page, origin) {
  await page.goto(`${origin}/admin/backups`);
  await page.getByRole("button", { name: "Back up now" }).click();
  await page.getByText("restored", { exact: true }).waitFor({ timeout: 60_000 });
  await record(page, "admin-backups");
  for (const name of ["dependencies", "schedules", "retention", "configuration"]) {
    await page.goto(`${origin}/admin/${name}`);
    await page.getByRole("listitem").first().waitFor();
    await record(page, `admin-${name}`);
  }
}

/** The server's pages, the same at night, and one in the hand. */
export async function looks(page, origin) {
  await server(page, origin);
  await page.evaluate(() => localStorage.setItem("hearth-theme", "dark"));
  for (const name of ["people", "audit", "jobs"]) {
    await page.goto(`${origin}/admin/${name}`);
    await page.waitForLoadState("networkidle");
    await record(page, `admin-${name}-dark`);
  }
  await page.evaluate(() => localStorage.removeItem("hearth-theme"));
  const before = page.viewportSize();
  await page.setViewportSize(phone);
  for (const name of ["people", "audit"]) {
    await page.goto(`${origin}/admin/${name}`);
    await page.getByRole("listitem").first().waitFor();
    await record(page, `phone-admin-${name}`);
  }
  await page.setViewportSize(before);
}
