import { Link } from "@tanstack/react-router";
import { Facts } from "@/components/Facts";
import { linkLook } from "@/components/looks";
import { formatDateTime, formatRelative, plural } from "@/lib/format";
import type { MemoryItem } from "../api/memories";
import { originOf, trustOf } from "../memoryWords";
import { StrengthBar } from "./StrengthBar";

function Strength({ memory: { strength, importance, pinned, last_used_at, use_count } }: { memory: MemoryItem }) {
  const fades = pinned ? "pinned, so it does not fade" : strength < importance ? "fading, as it is not used" : null;
  return (
    <>
      <StrengthBar strength={strength} className="mr-2 w-24" />
      {strength.toFixed(2)}
      <span className="block text-sm text-muted">
        {[`importance ${importance.toFixed(2)}`, fades, last_used_at && `used ${plural(use_count, "time")}, last ${formatRelative(last_used_at)}`].filter(Boolean).join(" · ")}
      </span>
    </>
  );
}

/** Everything known of a memory beside its words. */
export function MemoryFacts({ memory }: { memory: MemoryItem }) {
  const { subject, trust, derived_by, confidence, channel, sensitivity, tags, agent_id, conversation_id, expires_at, merged_count, metadata, memory_id, superseded_by } = memory;
  const code = (text: string) => <code className="font-mono text-sm break-all">{text}</code>;
  return (
    <Facts
      facts={[
        ["Superseded by", superseded_by && <Link to="." search={(before: object) => ({ ...before, memory: superseded_by })} className={linkLook}>the memory that took its place</Link>],
        ["About", subject],
        ["Strength", <Strength key="strength" memory={memory} />],
        ["Trust", trustOf(trust)],
        ["Comes from", originOf(derived_by) + (confidence < 1 ? `, ${Math.round(confidence * 100)} % sure` : "")],
        ["Shown in", [channel, sensitivity !== "none" && `sensitivity ${sensitivity}`].filter(Boolean).join(", ")],
        ["Labels", tags.join(", ")],
        ["Said again", merged_count > 1 && plural(merged_count - 1, "time")],
        ["Agent", agent_id],
        ["Session", conversation_id && <Link to="/memory/timeline" search={{ session: conversation_id }} className={linkLook}>{conversation_id}</Link>],
        ["Forgotten on", expires_at && formatDateTime(expires_at)],
        ["Own fields", Object.keys(metadata ?? {}).length > 0 && code(JSON.stringify(metadata))],
        ["Id", code(memory_id)],
      ]}
    />
  );
}
