import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Button } from "@/components/Button";
import { DataList, type Column } from "@/components/DataList";
import { Empty } from "@/components/Empty";
import { Fetched } from "@/components/Fetched";
import { PageHead } from "@/components/PageHead";
import { StateWord } from "@/components/StateWord";
import { formatBytes, formatDateTime, formatRelative } from "@/lib/format";
import { notify } from "@/lib/toasts";
import { useTitle } from "@/lib/useTitle";
import { backupsQuery, createBackup, verifyBackup, type Backup } from "../api/backups";
import { BackupFacts } from "../components/BackupFacts";
import { backupTone } from "../words";

const keyOf = (backup: Backup) => backup.name;

const columns: Column<Backup>[] = [
  { head: "File", track: "minmax(0,1.3fr)", cell: ({ name }) => <span className="block truncate font-medium">{name}</span> },
  { head: "State", isPlain: true, track: "7rem", cell: ({ state }) => <StateWord tone={backupTone(state)}>{state}</StateWord> },
  { head: "Size", track: "5rem", atEnd: true, cell: ({ size_bytes }) => formatBytes(size_bytes) },
  { head: "Created", track: "10rem", cell: ({ created_at }) => formatDateTime(created_at) },
  { head: "Verified", track: "8rem", cell: ({ verified_at, problem }) => problem ?? (verified_at && formatRelative(verified_at)) },
];

const none = (
  <Empty title="No backup yet">
    <p className="text-muted">Make the first one now: it is written while the server works, read back and checked. Copy it to another machine; to use it, stop the server and run:</p>
    <code className="rounded border border-line bg-raised px-3 py-2 font-mono text-sm">hearth backup restore &lt;file&gt;</code>
  </Empty>
);

export function BackupsPage() {
  useTitle("Backups");
  const queries = useQueryClient();
  const backups = useQuery(backupsQuery);
  const items = backups.data?.items ?? [];
  const settle = () => queries.invalidateQueries({ queryKey: ["admin"] });
  const create = useMutation({
    mutationFn: createBackup,
    onSuccess: () => notify("The backup has begun", "It appears here when it is written and checked."),
    onError: (error) => notify("No backup was begun", error.message),
    onSettled: settle,
  });
  const verify = useMutation({
    mutationFn: verifyBackup,
    onSuccess: (_, name) => notify("Verifying", `${name} is read back and restored into a scratch database.`),
    onError: (error) => notify("The backup is not being verified", error.message),
    onSettled: settle,
  });
  return (
    <div className="flex h-full flex-col">
      <PageHead title="Backups" note="Everything this server knows, in files that restore on either database.">
        <Button look="fire" onClick={() => create.mutate()} busy={create.isPending && "Starting…"}>
          Back up now
        </Button>
      </PageHead>
      <Fetched query={backups} what="backups">
        {backups.data && <BackupFacts backups={backups.data} />}
        {items.length === 0 ? (
          none
        ) : (
          <DataList
            label="Backups, newest first"
            columns={columns}
            items={items}
            keyOf={keyOf}
            actions={({ name }) => (
              <Button look="quiet" onClick={() => verify.mutate(name)} busy={verify.isPending && verify.variables === name && "Starting…"} aria-label={`Verify ${name}`}>
                Verify
              </Button>
            )}
          />
        )}
      </Fetched>
    </div>
  );
}
