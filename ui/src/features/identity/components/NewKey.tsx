import { Checkbox } from "@base-ui/react/checkbox";
import { useState } from "react";
import { Button } from "@/components/Button";
import { CodeBlock } from "@/components/CodeBlock";
import { CopyButton } from "@/components/CopyButton";
import { Icon } from "@/components/icons";
import { firstEventCurl } from "@/lib/firstEvent";
import type { ApiKeyCreated } from "../api";

/** The only time a key is readable. It lives in this component's props and nowhere else. */
export function NewKey({ created, onStored }: { created: ApiKeyCreated; onStored: () => void }) {
  const [stored, setStored] = useState(false);
  return (
    <div className="grid min-w-0 gap-4">
      <div className="flex items-center gap-2 rounded border border-line bg-raised p-1.5 pl-3">
        <code className="min-w-0 grow font-mono text-sm break-all" data-testid="api-key">
          {created.api_key}
        </code>
        <CopyButton text={created.api_key} />
      </div>
      <CodeBlock label="Try it: record a first event" code={firstEventCurl(location.origin, created.api_key, created.user_id ? undefined : "ana")} />
      <label htmlFor="key-stored" className="flex cursor-pointer items-center gap-2.5">
        <Checkbox.Root
          id="key-stored"
          checked={stored}
          onCheckedChange={setStored}
          className="grid size-4 place-items-center rounded-sm border border-edge bg-raised data-checked:border-fire data-checked:bg-fire data-checked:text-on-fire"
        >
          <Checkbox.Indicator>
            <Icon name="check" className="size-3.5" />
          </Checkbox.Indicator>
        </Checkbox.Root>
        I have stored it
      </label>
      <div className="flex justify-end">
        <Button look="fire" disabled={!stored} onClick={onStored}>
          Done
        </Button>
      </div>
    </div>
  );
}
