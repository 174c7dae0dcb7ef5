import { Icon } from "@/components/icons";
import { plural } from "@/lib/format";
import type { SearchAnswer } from "../api/recall";
import { degradedInWords } from "../words";

/** What made this answer less than it could be, in plain words. */
export function AnswerNotes({ answer }: { answer: SearchAnswer }) {
  // Missing vectors are told below, with their number.
  const notes = answer.degraded.filter((code) => code !== "vectors_missing").map(degradedInWords);
  if (answer.missing_vectors > 0) notes.push(`${plural(answer.missing_vectors, "event waits", "events wait")} for a vector and can be found by words only.`);
  if (notes.length === 0) return null;
  return (
    <ul className="grid gap-1 border-b border-line px-5 py-2 text-sm text-muted max-md:px-4">
      {notes.map((note) => (
        <li key={note} className="flex items-start gap-1.5">
          <Icon name="warn" className="mt-0.5 size-3.5 text-warn" />
          {note}
        </li>
      ))}
    </ul>
  );
}
