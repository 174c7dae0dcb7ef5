import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, parseSearchWith, redirect, stringifySearchWith } from "@tanstack/react-router";
import { sessionQuery, setupQuery } from "@/features/identity/api";
import { readAdminSearch } from "@/features/admin/filters";
import { readMemorySearch } from "@/features/memory/filters";
import { searchText } from "@/lib/searchText";
import { NotFound, PageFault } from "./Faults";
import { Inside } from "./Inside";

const root = createRootRouteWithContext<{ queries: QueryClient }>()({ component: Outlet });

const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  validateSearch: (raw: Record<string, unknown>): { token?: string } => ({ token: searchText(raw.token) }),
  beforeLoad: async ({ context }) => {
    const { needed } = await context.queries.fetchQuery(setupQuery);
    if (!needed) throw redirect({ to: "/sign-in" });
  },
  component: lazyRouteComponent(() => import("@/features/identity/routes/SetupPage"), "SetupPage"),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  // Only a path of our own may follow a sign-in.
  validateSearch: (raw: Record<string, unknown>): { next?: string } => ({ next: /^\/(?![/\\])/.test(searchText(raw.next) ?? "") ? searchText(raw.next) : undefined }),
  beforeLoad: async ({ context }) => {
    if (await context.queries.ensureQueryData(sessionQuery)) throw redirect({ to: "/memory" });
    const { needed } = await context.queries.fetchQuery(setupQuery);
    if (needed) throw redirect({ to: "/setup" });
  },
  component: lazyRouteComponent(() => import("@/features/identity/routes/SignInPage"), "SignInPage"),
});

const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  beforeLoad: async ({ context, location }) => {
    if (!(await context.queries.ensureQueryData(sessionQuery))) throw redirect({ to: "/sign-in", search: { next: location.href } });
  },
  component: Inside,
});

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/memory" });
  },
});

const join = createRoute({
  getParentRoute: () => root,
  path: "/join",
  component: lazyRouteComponent(() => import("@/features/identity/routes/JoinPage"), "JoinPage"),
});

const page = <Path extends string>(path: Path, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => inside, path, component });

const memoryPage = <Path extends string>(path: Path, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => inside, path, validateSearch: readMemorySearch, component });

const memory = [
  memoryPage("/memory", lazyRouteComponent(() => import("@/features/memory/routes/SearchPage"), "SearchPage")),
  memoryPage("/memory/timeline", lazyRouteComponent(() => import("@/features/memory/routes/TimelinePage"), "TimelinePage")),
  memoryPage("/memory/memories", lazyRouteComponent(() => import("@/features/memory/routes/MemoriesPage"), "MemoriesPage")),
  memoryPage("/memory/decisions", lazyRouteComponent(() => import("@/features/memory/routes/DecisionsPage"), "DecisionsPage")),
  memoryPage("/memory/tasks", lazyRouteComponent(() => import("@/features/memory/routes/TasksPage"), "TasksPage")),
  memoryPage("/memory/blocks", lazyRouteComponent(() => import("@/features/memory/routes/BlocksPage"), "BlocksPage")),
  memoryPage("/memory/context", lazyRouteComponent(() => import("@/features/memory/routes/BundlePage"), "BundlePage")),
  memoryPage("/memory/review", lazyRouteComponent(() => import("@/features/memory/routes/ReviewPage"), "ReviewPage")),
  memoryPage("/memory/data", lazyRouteComponent(() => import("@/features/memory/routes/DataPage"), "DataPage")),
];

const apiKeys = page("/settings/api-keys", lazyRouteComponent(() => import("@/features/identity/routes/ApiKeysPage"), "ApiKeysPage"));
const devices = page("/settings/devices", lazyRouteComponent(() => import("@/features/identity/routes/SignInsPage"), "SignInsPage"));

const adminPage = <Path extends string>(path: Path, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => inside, path, validateSearch: readAdminSearch, component });

const admin = [
  createRoute({
    getParentRoute: () => inside,
    path: "/admin",
    beforeLoad: async ({ context }) => {
      const session = await context.queries.ensureQueryData(sessionQuery);
      throw redirect({ to: session?.scopes.includes("admin") ? "/admin/people" : "/settings/api-keys" });
    },
  }),
  adminPage("/admin/people", lazyRouteComponent(() => import("@/features/admin/routes/PeoplePage"), "PeoplePage")),
  adminPage("/admin/audit", lazyRouteComponent(() => import("@/features/admin/routes/AuditPage"), "AuditPage")),
  adminPage("/admin/invitations", lazyRouteComponent(() => import("@/features/admin/routes/InvitationsPage"), "InvitationsPage")),
  adminPage("/admin/dependencies", lazyRouteComponent(() => import("@/features/admin/routes/DependenciesPage"), "DependenciesPage")),
  adminPage("/admin/jobs", lazyRouteComponent(() => import("@/features/admin/routes/JobsPage"), "JobsPage")),
  adminPage("/admin/schedules", lazyRouteComponent(() => import("@/features/admin/routes/SchedulesPage"), "SchedulesPage")),
  adminPage("/admin/backups", lazyRouteComponent(() => import("@/features/admin/routes/BackupsPage"), "BackupsPage")),
  adminPage("/admin/retention", lazyRouteComponent(() => import("@/features/admin/routes/RetentionPage"), "RetentionPage")),
  adminPage("/admin/configuration", lazyRouteComponent(() => import("@/features/admin/routes/ConfigurationPage"), "ConfigurationPage")),
];

export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree: root.addChildren([setup, signIn, join, home, inside.addChildren([...memory, apiKeys, devices, ...admin])]),
    context: { queries },
    // An address holds plain words: a token of digits is no number, and nothing is quoted.
    parseSearch: parseSearchWith((value) => value),
    stringifySearch: stringifySearchWith(String),
    defaultPreload: "intent",
    defaultErrorComponent: PageFault,
    defaultNotFoundComponent: NotFound,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
