import { queryOptions } from "@tanstack/react-query";
import { body, client } from "@/api/client";
import type { components } from "@/api/schema";

export type Backup = components["schemas"]["BackupBody"];
export type Backups = components["schemas"]["BackupList"];

export const backupsQuery = queryOptions({
  queryKey: ["admin", "backups"],
  queryFn: () => body(client.GET("/api/v1/admin/backups")),
  refetchInterval: 5_000,
});

export const createBackup = () => body(client.POST("/api/v1/admin/backups"));
export const verifyBackup = (name: string) => body(client.POST("/api/v1/admin/backups/{name}/verify", { params: { path: { name } } }));
