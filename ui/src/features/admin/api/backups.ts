import { queryOptions } from "@tanstack/react-query";
import { call } from "./call";

export interface Backup {
  name: string;
  format: string;
  created_at: string;
  size_bytes: number;
  verified_at: string | null;
  state: string;
  problem: string | null;
}
export interface Backups {
  items: Backup[];
  directory: string;
  schedule: string | null;
  next_at: string | null;
}

export const backupsQuery = queryOptions({
  queryKey: ["admin", "backups"],
  queryFn: () => call<Backups>("get", "/api/v1/admin/backups"),
  refetchInterval: 5_000,
});

export const createBackup = () => call<{ job_id: string }>("post", "/api/v1/admin/backups");
export const verifyBackup = (name: string) => call("post", "/api/v1/admin/backups/{name}/verify", { path: { name } });
