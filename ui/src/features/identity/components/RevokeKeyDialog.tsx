import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ConfirmDialog } from "@/components/ConfirmDialog";
import { notify } from "@/lib/toasts";
import { apiKeysQuery, revokeApiKey, type ApiKey } from "../api";

export function RevokeKeyDialog({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => revokeApiKey(apiKey.key_id),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: apiKeysQuery.queryKey });
      notify(`“${apiKey.name}” is revoked`);
      onClose();
    },
  });
  return (
    <ConfirmDialog
      open
      title={`Revoke “${apiKey.name}”?`}
      consequence="Programs that use it are refused from the next request on. This cannot be undone; what they recorded stays."
      action="Revoke key"
      busy={revoke.isPending && "Revoking…"}
      error={revoke.error}
      onConfirm={() => revoke.mutate()}
      onClose={onClose}
    />
  );
}
