import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { Facts } from "@/components/Facts";
import { SidePane } from "@/components/SidePane";
import { formatCount, formatDateTime } from "@/lib/format";
import { notify } from "@/lib/toasts";
import { blocksKey, deleteBlock, type Block } from "../api/blocks";
import { BlockDialog } from "./BlockDialog";
import { BlockVersions } from "./BlockVersions";

/** One block: its text, how full it is, and what each version changed. */
export function BlockPane({ block, onClose }: { block: Block; onClose: () => void }) {
  const queries = useQueryClient();
  const [asking, setAsking] = useState<"edit" | "delete">();
  const remove = useMutation({
    mutationFn: () => deleteBlock(block),
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: blocksKey });
      notify("The block is deleted", "Its versions can be read for 30 days.");
    },
  });
  const { block_id, label, text, description, agent_id, limit_chars, read_only, version, recorded_at } = block;
  const foot = (
    <>
      <Button look="quiet" onClick={() => setAsking("delete")}>
        Delete…
      </Button>
      <Button look="fire" onClick={() => setAsking("edit")}>
        Edit
      </Button>
    </>
  );
  return (
    <SidePane title={label} note={description && <p className="text-muted">{description}</p>} onClose={onClose} foot={foot}>
      {text ? <p className="break-words whitespace-pre-wrap">{text}</p> : <p className="text-muted">Nothing is written in it yet.</p>}
      <Facts
        facts={[
          ["For", agent_id ?? "all agents"],
          ["Room", `${formatCount([...text].length)} of ${formatCount(limit_chars)} characters`],
          ["Agents may", read_only ? "only read it" : "read and rewrite it"],
          ["Version", `${version}, ${formatDateTime(recorded_at)}`],
          ["Id", <code key="id" className="font-mono text-sm break-all">{block_id}</code>],
        ]}
      />
      <BlockVersions block={block} />
      {asking === "edit" && <BlockDialog block={block} onClose={() => setAsking(undefined)} />}
      <ConfirmDialog
        open={asking === "delete"}
        title={`Delete ${label}?`}
        consequence="Agents no longer have it before them. Its versions can be read for 30 days."
        action="Delete block"
        busy={remove.isPending && "Deleting…"}
        error={remove.error}
        onConfirm={() => remove.mutate()}
        onClose={() => setAsking(undefined)}
      />
    </SidePane>
  );
}
