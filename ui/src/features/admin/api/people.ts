import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { body, client } from "@/api/client";
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type Person = Schemas["User"];
export type SignIn = Schemas["SignIn"];
export type InvitationCreated = Schemas["InvitationCreated"];
export type Invitation = Schemas["ListedInvitation"];

export const peopleQuery = infiniteQueryOptions({
  queryKey: ["admin", "people"],
  queryFn: ({ pageParam: cursor }) => body(client.GET("/api/v1/users", { params: { query: { limit: 200, cursor } } })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next_cursor ?? undefined,
});

export const invitationsQuery = infiniteQueryOptions({
  queryKey: ["admin", "invitations"],
  queryFn: ({ pageParam: cursor }) => body(client.GET("/api/v1/invitations", { params: { query: { limit: 100, cursor } } })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next_cursor ?? undefined,
});

export const sessionsQuery = (user_id: string) =>
  queryOptions({
    queryKey: ["admin", "sessions", user_id],
    queryFn: () => body(client.GET("/api/v1/users/{id}/sessions", { params: { path: { id: user_id } } })),
  });

export const setRole = (id: string, role: string) => body(client.PUT("/api/v1/users/{id}/role", { params: { path: { id } }, body: { role } }));
export const disablePerson = (id: string) => body(client.POST("/api/v1/users/{id}/disable", { params: { path: { id } } }));
export const enablePerson = (id: string) => body(client.POST("/api/v1/users/{id}/enable", { params: { path: { id } } }));
export const endSession = (id: string, sid: string) => body(client.DELETE("/api/v1/users/{id}/sessions/{sid}", { params: { path: { id, sid } } }));
export const invite = (role: string) => body(client.POST("/api/v1/invitations", { body: { role } }));
export const revokeInvitation = (id: string) => body(client.DELETE("/api/v1/invitations/{id}", { params: { path: { id } } }));
