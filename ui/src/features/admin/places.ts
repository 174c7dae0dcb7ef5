import { queryOptions, useQuery } from "@tanstack/react-query";
import { ProblemError } from "@/api/problem";
import { usePrincipal } from "@/lib/principal";
import { readKinds } from "./api/jobs";

export const groups = ["You", "Workspace", "Server"] as const;

export interface Place {
  to: string;
  label: string;
  group: (typeof groups)[number];
}

const places: Place[] = [
  { to: "/settings/api-keys", label: "API keys", group: "You" },
  { to: "/settings/devices", label: "Signed-in devices", group: "You" },
  { to: "/admin/people", label: "People", group: "Workspace" },
  { to: "/admin/invitations", label: "Invitations", group: "Workspace" },
  { to: "/admin/audit", label: "Audit", group: "Workspace" },
  { to: "/admin/dependencies", label: "Health", group: "Server" },
  { to: "/admin/jobs", label: "Jobs", group: "Server" },
  { to: "/admin/schedules", label: "Schedules", group: "Server" },
  { to: "/admin/backups", label: "Backups", group: "Server" },
  { to: "/admin/retention", label: "Retention", group: "Server" },
  { to: "/admin/configuration", label: "Configuration", group: "Server" },
];

const isRefused = (error: unknown) => error instanceof ProblemError && error.status === 403;

/** Whether the server lets this person run it: asked once, since a refusal is audited. */
const operatorQuery = queryOptions({
  queryKey: ["admin", "operator"],
  queryFn: () =>
    readKinds().then(
      () => true,
      (error: unknown) => {
        if (isRefused(error)) return false;
        throw error;
      },
    ),
  staleTime: Infinity,
});

/** The pages that this person may open. */
export function usePlaces(): Place[] {
  const isAdmin = usePrincipal().scopes.includes("admin");
  const operator = useQuery({ ...operatorQuery, enabled: isAdmin });
  const open = { You: true, Workspace: isAdmin, Server: operator.data === true || operator.isError };
  return places.filter(({ group }) => open[group]);
}
