import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Dialog } from "@/components/Dialog";
import { apiKeysQuery, createApiKey } from "../api";
import { CreateKeyForm } from "./CreateKeyForm";
import { NewKey } from "./NewKey";

export function CreateKeyDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: createApiKey,
    onSuccess: () => queries.invalidateQueries({ queryKey: apiKeysQuery.queryKey }),
    gcTime: 0,
  });
  const close = () => {
    create.reset();
    onClose();
  };
  return create.data ? (
    <Dialog open={open} onClose={close} dismissible={false} title={`“${create.data.name}” is ready`} description="Copy the key now. It is shown this once and cannot be read again.">
      <NewKey created={create.data} onStored={close} />
    </Dialog>
  ) : (
    <Dialog open={open} onClose={close} title="New API key" description="A key lets a program act in this workspace.">
      <CreateKeyForm busy={create.isPending} error={create.error} onSubmit={create.mutate} onCancel={close} />
    </Dialog>
  );
}
