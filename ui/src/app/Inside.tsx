import { useSuspenseQuery } from "@tanstack/react-query";
import { Navigate, useLocation } from "@tanstack/react-router";
import { sessionQuery } from "@/features/identity/api";
import { PrincipalProvider } from "@/lib/principal";
import { Shell } from "./Shell";

/** Pages for signed-in people; when the session ends, the way leads back here after signing in. */
export function Inside() {
  const { data: session } = useSuspenseQuery(sessionQuery);
  const here = useLocation({ select: (location) => location.href });
  if (!session) return <Navigate to="/sign-in" search={{ next: here }} replace />;
  const { user, scopes } = session;
  return (
    <PrincipalProvider value={{ userId: user.user_id, username: user.username, tenantName: user.tenant_name, roles: user.roles, scopes }}>
      <Shell />
    </PrincipalProvider>
  );
}
