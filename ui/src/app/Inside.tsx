import { useSuspenseQuery } from "@tanstack/react-query";
import { useNavigate, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { sessionQuery } from "@/features/identity/api";
import { PrincipalProvider } from "@/lib/principal";
import { Shell } from "./Shell";

/** Pages for signed-in people; when the session ends, the way leads back here after signing in. */
export function Inside() {
  const { data: session } = useSuspenseQuery(sessionQuery);
  const router = useRouter();
  const navigate = useNavigate();
  useEffect(() => {
    if (!session) void navigate({ to: "/sign-in", search: { next: router.state.location.href }, replace: true });
  }, [session, navigate, router]);

  if (!session) return null;
  const { user, scopes } = session;
  return (
    <PrincipalProvider value={{ username: user.username, tenantId: user.tenant_id, tenantName: user.tenant_name, roles: user.roles, scopes }}>
      <Shell />
    </PrincipalProvider>
  );
}
