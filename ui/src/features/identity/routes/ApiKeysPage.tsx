import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Empty } from "@/components/Empty";
import { ErrorNote } from "@/components/ErrorNote";
import { Icon } from "@/components/icons";
import { PageHead } from "@/components/PageHead";
import { VirtualList } from "@/components/VirtualList";
import { Waiting } from "@/components/Waiting";
import { usePageFeed } from "@/lib/usePageFeed";
import { useTitle } from "@/lib/useTitle";
import { apiKeysQuery, type ApiKey } from "../api";
import { ApiKeyHead, ApiKeyRow } from "../components/ApiKeyRow";
import { CreateKeyDialog } from "../components/CreateKeyDialog";
import { RevokeKeyDialog } from "../components/RevokeKeyDialog";

const keyOf = (key: ApiKey) => key.key_id;

export function ApiKeysPage() {
  useTitle("API keys");
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const keys = useInfiniteQuery(apiKeysQuery);
  const { items, more } = usePageFeed(keys);

  return (
    <div className="flex h-full flex-col">
      <PageHead title="API keys" note="Programs show a key to record and recall. Give each program its own.">
        <Button look="fire" onClick={() => setCreating(true)}>
          <Icon name="plus" /> New key
        </Button>
      </PageHead>
      {keys.isError && (
        <div className="p-5">
          <ErrorNote error={keys.error} onRetry={() => void keys.refetch()} />
        </div>
      )}
      {keys.isPending && <Waiting label="Loading keys" />}
      {keys.isSuccess && items.length === 0 && (
        <Empty title="No key yet">
          <p className="text-muted">Make one for the first program that should remember: a chat bot, a coding agent, a nightly job. You see the key once, with a command that records a first event.</p>
        </Empty>
      )}
      {items.length > 0 && (
        <VirtualList items={items} estimate={54} keyOf={keyOf} label="API keys" before={<ApiKeyHead />} onNearEnd={more} render={(key) => <ApiKeyRow apiKey={key} onRevoke={() => setRevoking(key)} />} />
      )}
      <CreateKeyDialog open={creating} onClose={() => setCreating(false)} />
      {revoking && <RevokeKeyDialog apiKey={revoking} onClose={() => setRevoking(null)} />}
    </div>
  );
}
