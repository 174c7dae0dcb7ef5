import { useNavigate, useSearch } from "@tanstack/react-router";
import { readAdminSearch, type AdminSearch } from "./filters";

/** The filters in the address, and a way to change them. */
export function useAdminSearch() {
  const search = readAdminSearch(useSearch({ strict: false }) as Record<string, unknown>);
  const navigate = useNavigate();
  const change = (next: Partial<AdminSearch>) => void navigate({ to: ".", search: (before: object) => ({ ...before, ...next }), replace: true });
  return { search, change };
}
