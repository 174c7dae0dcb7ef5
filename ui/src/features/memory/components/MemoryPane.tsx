import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { ErrorNote } from "@/components/ErrorNote";
import { SidePane } from "@/components/SidePane";
import { StateWord } from "@/components/StateWord";
import { memoryQuery, type MemoryItem } from "../api/memories";
import { stateOf } from "../memoryWords";
import { useMemoryActions } from "../useMemoryActions";
import { EditMemoryDialog } from "./EditMemoryDialog";
import { EraseMemoryDialog } from "./EraseMemoryDialog";
import { ForgetMenu } from "./ForgetMenu";
import { History } from "./History";
import { MemoryFacts } from "./MemoryFacts";
import { Sources } from "./Sources";
import { ValidityLine } from "./ValidityLine";

interface MemoryPaneProps {
  memoryId: string;
  onClose: () => void;
}

const titleOf = ({ type }: MemoryItem) => type.charAt(0).toUpperCase() + type.slice(1);

function Foot({ memory, onEdit, onErase }: { memory: MemoryItem; onEdit: () => void; onErase: () => void }) {
  const { act } = useMemoryActions();
  const { memory_id, pinned, state, superseded_by } = memory;
  const inUse = state === "active" && !superseded_by;
  if (!inUse) {
    return (
      <>
        <Button look="quiet" onClick={onErase}>
          Erase…
        </Button>
        <Button look="fire" onClick={() => act(memory_id, "back")}>
          Bring back
        </Button>
      </>
    );
  }
  return (
    <>
      <ForgetMenu onAct={(name) => act(memory_id, name)} onErase={onErase} />
      <Button onClick={() => act(memory_id, pinned ? "unpin" : "pin")}>{pinned ? "Unpin" : "Pin"}</Button>
      <Button look="fire" onClick={onEdit}>
        Edit
      </Button>
    </>
  );
}

/** One memory: its words, since when they are so, where they come from and what became of them. */
export function MemoryPane({ memoryId, onClose }: MemoryPaneProps) {
  const found = useQuery(memoryQuery(memoryId));
  const [asking, setAsking] = useState<"edit" | "erase">();
  const memory = found.data;
  if (!memory) {
    return (
      <SidePane title="Memory" onClose={onClose}>
        {found.isError ? <ErrorNote error={found.error} onRetry={() => void found.refetch()} /> : <p role="status">Loading the memory…</p>}
      </SidePane>
    );
  }
  const { tone, word } = stateOf(memory);
  const note = (
    <p className="flex gap-3">
      <StateWord tone={tone}>{word}</StateWord>
      {memory.pinned && <span className="text-muted">pinned</span>}
    </p>
  );
  const done = () => setAsking(undefined);
  return (
    <SidePane title={titleOf(memory)} note={note} onClose={onClose} foot={<Foot memory={memory} onEdit={() => setAsking("edit")} onErase={() => setAsking("erase")} />}>
      <p className="text-lg break-words whitespace-pre-wrap">{memory.text}</p>
      <ValidityLine memory={memory} />
      <Sources memoryId={memoryId} />
      <MemoryFacts memory={memory} />
      <History memoryId={memoryId} />
      {asking === "edit" && <EditMemoryDialog memory={memory} onClose={done} />}
      {asking === "erase" && <EraseMemoryDialog memory={memory} onErased={onClose} onClose={done} />}
    </SidePane>
  );
}
