import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { linkLook } from "@/components/looks";
import { cx } from "@/lib/cx";
import { notify } from "@/lib/toasts";
import { eventQuery } from "../api/recall";
import { dayOf } from "../filters";

const look = cx(linkLook, "font-mono text-xs break-all");

/** A reference that leads to what it names, where there is a page for it. */
export function RefLink({ id }: { id: string }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  if (id.startsWith("mem_")) return <Link to="/memory/memories" search={{ memory: id }} className={look}>{id}</Link>;
  if (!id.startsWith("evt_")) return <code className="font-mono text-xs break-all text-muted">{id}</code>;
  // Where an event lies in the timeline is known once it is read.
  const open = () =>
    queries.fetchQuery(eventQuery(id)).then(
      ({ session_id, ts }) => navigate({ to: "/memory/timeline", search: { session: session_id, day: dayOf(ts), event: id } }),
      (error: Error) => notify("The turn could not be opened", error.message),
    );
  return (
    <button type="button" onClick={() => void open()} className={look}>
      {id}
    </button>
  );
}
