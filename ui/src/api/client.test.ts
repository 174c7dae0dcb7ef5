import { expect, test, vi } from "vitest";
import { problem, serve } from "@/test-support";
import { body, client } from "./client";
import { ProblemError } from "./problem";

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error("it was not refused");
    },
    (error: unknown) => error as ProblemError,
  );

test("an unsafe request repeats the CSRF cookie in a header, a safe one does not", async () => {
  document.cookie = "hearth_csrf=abc%2B123";
  const asked = serve({
    "GET /api/v1/session": () => ({ body: {} }),
    "DELETE /api/v1/session": () => ({ status: 204 }),
  });
  await body(client.GET("/api/v1/session"));
  await body(client.DELETE("/api/v1/session"));
  expect(asked.map((request) => request.headers.get("X-CSRF-Token"))).toEqual([null, "abc+123"]);
});

test("a refusal carries its request id, its fields and when to come back", async () => {
  serve({
    "GET /api/v1/session": () => ({ ...problem(429, "Too many attempts.", [{ field: "username", message: "Unknown." }]), headers: { "Retry-After": "24" } }),
  });
  const error = await refusal(body(client.GET("/api/v1/session")));
  expect(error).toBeInstanceOf(ProblemError);
  expect(error).toMatchObject({ status: 429, message: "Too many attempts.", requestId: "req_7f3a", fields: { username: "Unknown." }, retryAfterSeconds: 24 });
});

test("an answer that is no problem document still names its status and request", async () => {
  vi.stubGlobal("fetch", async () => new Response("<h1>Bad gateway</h1>", { status: 502, headers: { "X-Request-ID": "req_gw" } }));
  expect(await refusal(body(client.GET("/api/v1/session")))).toMatchObject({ status: 502, message: "The server answered 502.", requestId: "req_gw", retryAfterSeconds: null });
});

test("a server that cannot be reached is said to be so", async () => {
  vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("Failed to fetch")));
  expect(await refusal(body(client.GET("/api/v1/session")))).toMatchObject({ status: 0, code: "unreachable" });
});
