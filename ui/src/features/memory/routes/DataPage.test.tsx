import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { renderPage, serve } from "@/test-support";
import { around, page } from "../testData";
import { DataPage } from "./DataPage";

const made = { export_id: "exp_1", objects: false, state: "running", requested_by: "usr_1", requested_at: "2026-03-03T00:00:00Z", expires_at: "2026-03-10T00:00:00Z", size_bytes: 4_200_000 };
const erasure = { erasure_id: "era_1", kind: "session", state: "done", requested_by: "usr_1", requested_at: "2026-03-03T00:00:00Z", finished_at: "2026-03-03T00:01:00Z", objects: 0, tables: { events: { before: 4, removed: 4, after: 0 } } };

test("an export tells how far it is and can be taken when it is ready", async () => {
  let state = "running";
  serve({ ...around, "GET /api/v1/memory/export": () => page([{ ...made, state }]), "GET /api/v1/memory/erasures": () => page([]), "GET /api/v1/legal-holds": () => ({ body: { items: [] } }) });
  renderPage(DataPage, "/memory/data");
  expect(await screen.findByText("being made")).toBeTruthy();
  expect(screen.getByText(/4\.2 MB so far/)).toBeTruthy();
  state = "done";
  expect((await screen.findByRole("link", { name: "Download" })).getAttribute("href")).toBe("/api/v1/memory/export/exp_1/file");
});

test("nothing is erased before its name was typed again", async () => {
  const asked = serve({
    ...around,
    "GET /api/v1/memory/export": () => page([]),
    "GET /api/v1/memory/erasures": () => page([erasure]),
    "GET /api/v1/legal-holds": () => ({ body: { items: [] } }),
    "POST /api/v1/memory/erasures": () => ({ status: 202, body: { ...erasure, state: "waiting" } }),
  });
  renderPage(DataPage, "/memory/data?session=s-14");
  expect((await screen.findByRole("link", { name: "Certificate", hidden: true })).getAttribute("href")).toBe("/api/v1/memory/erasures/era_1/certificate");
  const erase = await screen.findByRole<HTMLButtonElement>("button", { name: "Erase for good" });
  expect(erase.disabled).toBe(true);
  await userEvent.selectOptions(screen.getByLabelText("What"), "tenant");
  await userEvent.type(screen.getByLabelText("Type it again"), "s-14");
  expect(erase.disabled).toBe(true);
  await userEvent.clear(screen.getByLabelText("Type it again"));
  await userEvent.type(screen.getByLabelText("Type it again"), "harbour-lab");
  expect(erase.disabled).toBe(false);
  await userEvent.click(erase);
  const sent = asked.find(({ method }) => method === "POST");
  expect(await sent?.json()).toEqual({ tenant: true, confirm: "harbour-lab" });
});

test("a file is checked before anything of it is written", async () => {
  const found = { format: "mem0", lines: 3, imported: { memories: 2 }, known: 1, skipped: { accounts: 1 }, complete: false };
  const asked = serve({
    ...around,
    "GET /api/v1/memory/export": () => page([]),
    "GET /api/v1/memory/erasures": () => page([]),
    "GET /api/v1/legal-holds": () => ({ body: { items: [] } }),
    "POST /api/v1/memory/import": (_, url) => ({ body: { ...found, dry_run: url.searchParams.get("dry_run") === "true" } }),
  });
  renderPage(DataPage, "/memory/data");
  await userEvent.click(await screen.findByRole("button", { name: "Import…" }));
  await userEvent.upload(await screen.findByLabelText("File"), new File(['{"memory":"Ana feeds the otters"}'], "kept.jsonl"));
  await userEvent.click(screen.getByRole("button", { name: "Check" }));
  const seen = await screen.findByRole("region", { name: "What the file holds" });
  expect(seen.textContent).toMatch(/memories 2.*There already1.*accounts 1/);
  await userEvent.click(screen.getByRole("button", { name: "Import" }));
  await screen.findByRole("button", { name: "Import…" });
  const sent = asked.filter(({ method }) => method === "POST");
  expect(sent.map(({ url }) => new URL(url).search)).toEqual(["?dry_run=true", "?dry_run=false"]);
  expect(sent[0]?.headers.get("Content-Type")).toBe("application/x-ndjson");
});
