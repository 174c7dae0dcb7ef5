import { Link } from "@tanstack/react-router";
import { linkLook } from "@/components/looks";

/** The way to a turn that should have been found: pick it in the timeline and read why it was not. */
export function Missing({ question }: { question: string }) {
  return (
    <p className="text-sm text-muted">
      Something missing?{" "}
      <Link to="/memory/timeline" search={{ q: question }} className={linkLook}>
        Pick it in the timeline
      </Link>{" "}
      to see why.
    </p>
  );
}
