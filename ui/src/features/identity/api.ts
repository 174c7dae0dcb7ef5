import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { body, client } from "@/api/client";
import { ProblemError } from "@/api/problem";
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type Session = Schemas["Session"];
export type SignIn = Schemas["SignIn"];
export type ApiKey = Schemas["ApiKey"];
export type ActsFor = Schemas["ActsFor"];
export type ApiKeyRequest = Schemas["ApiKeyRequest"];
export type ApiKeyCreated = Schemas["ApiKeyCreated"];

export const setupQuery = queryOptions({
  queryKey: ["setup"],
  queryFn: () => body(client.GET("/api/v1/setup")),
  staleTime: 0,
});

/** The session, or null when nobody is signed in. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: () =>
    body(client.GET("/api/v1/session")).catch((error: unknown) => {
      if (error instanceof ProblemError && error.status === 401) return null;
      throw error;
    }),
  staleTime: 5 * 60_000,
});

export const signInsQuery = queryOptions({
  queryKey: ["sign-ins"],
  queryFn: () => body(client.GET("/auth/sessions")),
});

export const apiKeysQuery = infiniteQueryOptions({
  queryKey: ["api-keys"],
  queryFn: ({ pageParam }) => body(client.GET("/api/v1/api-keys", { params: { query: { limit: 50, cursor: pageParam } } })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next_cursor ?? undefined,
});

export const completeSetup = (request: Schemas["SetupRequest"]) => body(client.POST("/api/v1/setup", { body: request }));
export const signIn = (request: Schemas["SignInRequest"]) => body(client.POST("/api/v1/session", { body: request }));
export const signOut = () => body(client.DELETE("/api/v1/session"));
export const endSignIn = (id: string) => body(client.DELETE("/auth/sessions/{id}", { params: { path: { id } } }));
export const createApiKey = (request: ApiKeyRequest) => body(client.POST("/api/v1/api-keys", { body: request }));
export const revokeApiKey = (key_id: string) => body(client.DELETE("/api/v1/api-keys/{key_id}", { params: { path: { key_id } } }));

/** Makes the account of an invitation. Its tokens are of no use to a page: they end, and a session with a cookie begins. */
export async function join({ invitation, username, password }: { invitation: string; username: string; password: string }): Promise<Session> {
  const { user, refresh_token } = await body(client.POST("/auth/register", { body: { invitation, username, password } }));
  await client.POST("/auth/token/revoke", { body: { refresh_token } });
  return signIn({ tenant: user.tenant_id, username, password });
}
