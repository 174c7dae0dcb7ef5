import { createContext, useContext } from "react";

/** The signed-in person, as features need to know them. */
export interface Principal {
  username: string;
  tenantId: string;
  tenantName: string;
  roles: string[];
  scopes: string[];
}

const PrincipalContext = createContext<Principal | null>(null);
export const PrincipalProvider = PrincipalContext.Provider;

export function usePrincipal(): Principal {
  const principal = useContext(PrincipalContext);
  if (!principal) throw new Error("usePrincipal needs a signed-in page around it");
  return principal;
}
