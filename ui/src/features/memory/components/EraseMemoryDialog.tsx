import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { linkLook } from "@/components/looks";
import { notify } from "@/lib/toasts";
import { erase, type MemoryItem } from "../api/memories";
import { useMemoryActions } from "../useMemoryActions";

interface EraseMemoryDialogProps {
  memory: MemoryItem;
  onErased: () => void;
  onClose: () => void;
}

/** The one way to lose a memory for good; what it was taken from is named, because it stays. */
export function EraseMemoryDialog({ memory, onErased, onClose }: EraseMemoryDialogProps) {
  const { refresh } = useMemoryActions();
  const session = memory.conversation_id ?? undefined;
  const gone = useMutation({
    mutationFn: () => erase(memory.memory_id),
    onSuccess: () => {
      onErased();
      notify("Erased for good");
      return refresh(memory.memory_id);
    },
  });
  const consequence = (
    <>
      Its words, all its versions and its edits are gone for good; nobody can bring them back. The turns it was taken from stay in the timeline, and it may be derived from them again.{" "}
      <Link to="/memory/data" search={{ session }} className={linkLook}>
        Erase a whole conversation instead
      </Link>
    </>
  );
  return <ConfirmDialog open title="Erase this memory?" consequence={consequence} action="Erase for good" busy={gone.isPending && "Erasing…"} error={gone.error} onConfirm={() => gone.mutate()} onClose={onClose} />;
}
