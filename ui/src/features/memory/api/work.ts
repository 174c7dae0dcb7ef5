import { queryOptions } from "@tanstack/react-query";
import { body, client } from "@/api/client";
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type Decision = Schemas["Decision"];
export type NewDecision = Schemas["NewDecision"];
export type DecisionScope = Schemas["DecisionScope"];
export type Task = Schemas["Task"];
export type TaskPatch = Schemas["TaskPatch"];
export type TaskStatus = Schemas["TaskStatus"];

/** The most the server lists at once. */
export const mostRows = 1000;

export const decisionsKey = ["memory", "decisions"];

/** Decisions of today and those they took the place of, newest first. */
export const decisionsQuery = queryOptions({
  queryKey: decisionsKey,
  queryFn: async () => {
    const ask = (status: string) => body(client.GET("/api/v1/decisions", { params: { query: { status, limit: mostRows } } }));
    return (await Promise.all([ask("active"), ask("superseded")])).flat();
  },
});

export const decide = (decision: NewDecision) => body(client.POST("/api/v1/decisions", { body: decision }));

export const tasksKey = ["memory", "tasks"];

/** Most urgent first; open and begun ones when no status is named. */
export const tasksQuery = (status?: TaskStatus) =>
  queryOptions({ queryKey: [...tasksKey, status ?? "live"], queryFn: () => body(client.GET("/api/v1/tasks", { params: { query: { status, limit: mostRows } } })) });

export const addTask = (task: TaskPatch) => body(client.POST("/api/v1/tasks", { body: task }));
export const changeTask = (task_id: string, change: TaskPatch) => body(client.PATCH("/api/v1/tasks/{task_id}", { params: { path: { task_id } }, body: change }));
