import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { DataList } from "@/components/DataList";
import { Empty } from "@/components/Empty";
import { Fetched } from "@/components/Fetched";
import { Icon } from "@/components/icons";
import { PageHead } from "@/components/PageHead";
import { usePageFeed } from "@/lib/usePageFeed";
import { useTitle } from "@/lib/useTitle";
import { apiKeysQuery, type ApiKey } from "../api";
import { apiKeyColumns, isActive } from "../apiKeyColumns";
import { CreateKeyDialog } from "../components/CreateKeyDialog";
import { RevokeKeyDialog } from "../components/RevokeKeyDialog";

const keyOf = (key: ApiKey) => key.key_id;

const noKey = (
  <Empty title="No key yet">
    <p className="text-muted">Make one for the first program that should remember: a chat bot, a coding agent, a nightly job. You see the key once, with a command that records a first event.</p>
  </Empty>
);

export function ApiKeysPage() {
  useTitle("API keys");
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey | null>(null);
  const keys = useInfiniteQuery(apiKeysQuery);
  const { items, more } = usePageFeed(keys);
  const actions = (key: ApiKey) =>
    isActive(key) && (
      <Button look="quiet" onClick={() => setRevoking(key)} aria-label={`Revoke ${key.name}`}>
        Revoke
      </Button>
    );

  return (
    <div className="flex h-full flex-col">
      <PageHead title="API keys" note="Programs show a key to record and recall. Give each program its own.">
        <Button look="fire" onClick={() => setCreating(true)}>
          <Icon name="plus" /> New key
        </Button>
      </PageHead>
      <Fetched query={keys} what="keys" empty={items.length === 0 && noKey}>
        <DataList label="API keys" columns={apiKeyColumns} items={items} keyOf={keyOf} onNearEnd={more} actions={actions} />
      </Fetched>
      <CreateKeyDialog open={creating} onClose={() => setCreating(false)} />
      {revoking && <RevokeKeyDialog apiKey={revoking} onClose={() => setRevoking(null)} />}
    </div>
  );
}
