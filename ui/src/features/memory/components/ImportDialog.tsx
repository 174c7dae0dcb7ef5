import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { ErrorNote } from "@/components/ErrorNote";
import { Facts } from "@/components/Facts";
import { Field } from "@/components/Field";
import { formatCount, plural } from "@/lib/format";
import { notify } from "@/lib/toasts";
import { importFile, type Imported } from "../api/rights";

const listed = (counts: Record<string, number>) =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${kind.replaceAll("_", " ")} ${formatCount(count)}`)
    .join(", ");

/** What a check found: nothing is written yet. */
function Found({ found: { format, lines, imported, known, skipped, complete } }: { found: Imported }) {
  return (
    <section aria-label="What the file holds" className="rounded border border-line bg-raised p-3">
      <Facts
        facts={[
          ["Format", format],
          ["Lines", formatCount(lines)],
          ["New", listed(imported) || "nothing"],
          ["There already", known > 0 && formatCount(known)],
          ["Left out", listed(skipped)],
          ["Whole", format === "hearth" && (complete ? "yes, unchanged since it was made" : "no: its end is missing or was changed")],
        ]}
      />
    </section>
  );
}

/** Reads a file in two steps: checks all of it, then writes. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const [file, setFile] = useState<File>();
  const check = useMutation({ mutationFn: (chosen: File) => importFile(chosen, true) });
  const write = useMutation({
    mutationFn: (chosen: File) => importFile(chosen, false),
    onSuccess: ({ imported }) => {
      const count = Object.values(imported).reduce((sum, one) => sum + one, 0);
      notify(`${plural(count, "row")} imported`);
      onClose();
      return queries.invalidateQueries({ queryKey: ["memory"] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (file) (check.data ? write : check).mutate(file);
  };
  const error = write.error ?? check.error;
  return (
    <Dialog open onClose={onClose} title="Import" description="The file is checked first. What is imported is trusted less than what is said here, and secrets in it are taken out.">
      <form onSubmit={submit} className="grid gap-4">
        {error && <ErrorNote error={error} />}
        <Field
          label="File"
          type="file"
          accept=".jsonl,.ndjson,.json"
          className="[&_input]:py-1.5"
          hint="Lines of JSON"
          onChange={(event) => {
            setFile(event.target.files?.[0]);
            check.reset();
            write.reset();
          }}
        />
        {check.data && <Found found={check.data} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="fire" disabled={!file} busy={(check.isPending && "Checking…") || (write.isPending && "Importing…")}>
            {check.data ? "Import" : "Check"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
