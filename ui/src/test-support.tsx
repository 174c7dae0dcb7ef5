import { QueryClientProvider } from "@tanstack/react-query";
import { createMemoryHistory, createRootRoute, createRoute, createRouter, RouterProvider } from "@tanstack/react-router";
import { render } from "@testing-library/react";
import type { ComponentType, ReactNode } from "react";
import { vi } from "vitest";
import { makeQueryClient } from "@/app/queries";
import { PrincipalProvider, type Principal } from "@/lib/principal";

const principal: Principal = { username: "mika", tenantId: "harbour-lab", tenantName: "Harbour lab", roles: ["owner"], scopes: ["memory:read", "memory:write", "admin"] };

/** Draws one page at an address, as a signed-in person sees it. */
export function renderPage(Page: ComponentType, address: string, children?: ReactNode) {
  const root = createRootRoute({
    component: () => (
      <PrincipalProvider value={principal}>
        <Page />
        {children}
      </PrincipalProvider>
    ),
  });
  const anywhere = createRoute({ getParentRoute: () => root, path: "$" });
  const router = createRouter({ routeTree: root.addChildren([anywhere]), history: createMemoryHistory({ initialEntries: [address] }) });
  render(
    <QueryClientProvider client={makeQueryClient()}>
      <RouterProvider router={router as never} />
    </QueryClientProvider>,
  );
  return router;
}

type Answer = { status?: number; body?: unknown; headers?: Record<string, string> };

/** Answers every request by "METHOD /path" and keeps what was asked. */
export function serve(answers: Record<string, (request: Request, url: URL) => Answer | Promise<Answer>>): Request[] {
  const asked: Request[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    asked.push(request.clone());
    const url = new URL(request.url);
    const route = answers[`${request.method} ${url.pathname}`];
    if (!route) throw new Error(`the test did not expect ${request.method} ${url.pathname}`);
    const { status = 200, body, headers } = await route(request, url);
    return new Response(body === undefined ? null : JSON.stringify(body), { status, headers: { "Content-Type": "application/json", ...headers } });
  });
  return asked;
}

export const problem = (status: number, detail: string, errors?: { field: string; message: string }[]) => ({
  status,
  body: { type: "about:blank", title: "Refused", status, code: "refused", detail, request_id: "req_7f3a", errors },
});
