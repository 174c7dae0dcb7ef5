const key = "hearth-tenant";

/** The workspace to propose at sign-in: the last one, or the one a server begins with. */
export const rememberedTenant = () => localStorage.getItem(key) ?? "default";
export const rememberTenant = (tenant: string) => localStorage.setItem(key, tenant);

/** What was typed, in the letters that a workspace name may have. */
export const asTenantName = (typed: string) => typed.toLowerCase().replace(/\s+/g, "-").replace(/[^a-z0-9_-]/g, "");
