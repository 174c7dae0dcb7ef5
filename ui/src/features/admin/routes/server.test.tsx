import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { renderPage, serve } from "@/test-support";
import { BackupsPage } from "./BackupsPage";
import { ConfigurationPage } from "./ConfigurationPage";
import { DependenciesPage } from "./DependenciesPage";
import { RetentionPage } from "./RetentionPage";

test("a dependency that is down is counted, one that is not used is not", async () => {
  const one = (name: string, configured: boolean, up: boolean | null) => ({ name, configured, up, since: null, latency_ms: up ? 0.4 : null, last_error: up === false ? "connection refused" : null, detail: "" });
  serve({ "GET /api/v1/admin/dependencies": () => ({ body: { items: [one("database", true, true), one("redis", true, false), one("replica", false, null)] } }) });
  renderPage(DependenciesPage, "/admin/dependencies");
  expect(await screen.findByText("1 of 2 down")).toBeTruthy();
  expect(screen.getByText("not used")).toBeTruthy();
  expect(screen.getByText("connection refused")).toBeTruthy();
});

test("settings are searched by name and meaning, and a secret keeps its value", async () => {
  const setting = (name: string, meaning: string, is_secret = false) => ({ name, value: is_secret ? "set (32 bytes)" : "8080", source: "environment", is_secret, meaning, default: "", needs_restart: true });
  const settings = [setting("PORT", "The port people reach."), setting("JWT_SECRET", "Signs access tokens.", true)];
  serve({ "GET /api/v1/admin/configuration": () => ({ body: { settings, warnings: [{ severity: "warn", variable: "TLS_CERT_FILE", text: "is not set; put a proxy in front" }] } }) });
  renderPage(ConfigurationPage, "/admin/configuration");
  expect(await screen.findByText("2 of 2")).toBeTruthy();
  expect(screen.getByText("TLS_CERT_FILE")).toBeTruthy();
  await userEvent.type(screen.getByRole("searchbox", { name: "Search settings" }), "signs token");
  expect(await screen.findByText("1 of 2")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "JWT_SECRET" }));
  expect((await screen.findByRole("dialog", { name: "JWT_SECRET" })).textContent).toContain("its value is never shown");
});

test("without a backup the page teaches how one is made and used", async () => {
  serve({ "GET /api/v1/admin/backups": () => ({ body: { items: [], directory: "/var/lib/hearth/backups", schedule: null, next_at: null } }) });
  renderPage(BackupsPage, "/admin/backups");
  expect(await screen.findByText("No backup yet")).toBeTruthy();
  expect(screen.getByText("off: set BACKUP_SCHEDULE")).toBeTruthy();
});

test("what is kept until its own date is told from what is kept for days", async () => {
  const items = [{ name: "events.expired", days: 0, expired: 0 }, { name: "memories.retracted", days: 30, expired: 1204 }];
  serve({ "GET /api/v1/admin/retention": () => ({ body: { items } }) });
  renderPage(RetentionPage, "/admin/retention");
  expect(await screen.findByText("until its own date")).toBeTruthy();
  expect(screen.getByText("30 days").closest("[role=listitem]")?.textContent).toContain("1,204");
});
