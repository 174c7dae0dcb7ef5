import createClient, { type Middleware } from "openapi-fetch";
import { readProblem, unreachable } from "./problem";
import type { paths } from "./schema";

const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);

/** Value of the readable cookie that an unsafe request must repeat in a header. */
function csrfToken(): string | null {
  const pair = document.cookie.split("; ").find((cookie) => cookie.startsWith("hearth_csrf="));
  return pair ? decodeURIComponent(pair.slice("hearth_csrf=".length)) : null;
}

const conventions: Middleware = {
  onRequest({ request }) {
    const token = csrfToken();
    if (token && !safeMethods.has(request.method)) request.headers.set("X-CSRF-Token", token);
    return request;
  },
  async onResponse({ response }) {
    if (!response.ok) throw await readProblem(response);
  },
  onError() {
    return unreachable();
  },
};

/** Typed by the server's OpenAPI document; a refusal rejects with `ProblemError`. */
export const client = createClient<paths>({
  baseUrl: location.origin,
  fetch: (request) => globalThis.fetch(request),
});
client.use(conventions);

/** The body of an answer that was not refused. */
export async function body<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T;
}
