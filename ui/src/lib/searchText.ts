/** One value of an address as it was typed; the router turns digits and true or false into other types. */
export const searchText = (value: unknown): string | undefined =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) || undefined : undefined;
