import { client } from "@/api/client";

const open = client as unknown as { request: (method: string, path: string, init?: object) => Promise<{ data?: unknown }> };

/** Calls a route that the API description does not name yet. */
export const call = async <T>(method: "get" | "post" | "delete", path: string, params: { path?: object; query?: object } = {}): Promise<T> =>
  (await open.request(method, path, { params })).data as T;
