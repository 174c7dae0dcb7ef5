import { Empty } from "@/components/Empty";
import { plural } from "@/lib/format";
import type { Stats } from "../api/recall";

/** The search page before a question: what there is to find. */
export function Invitation({ stats }: { stats: Stats | undefined }) {
  return (
    <Empty title="What should be remembered?">
      <p className="text-muted">
        Ask in your own words. Each hit shows what made its score: the words it shares, what was said next to it, its meaning, and its session and time.
      </p>
      {stats && (
        <p className="text-muted tabular-nums">
          {plural(stats.events, "event")} in {plural(stats.sessions, "session")}.{" "}
          {stats.embedding.model ? `Meaning is compared with ${stats.embedding.model}.` : "No embedding model is set up, so words are compared and meaning is not."}
        </p>
      )}
      <p className="text-sm text-faint">
        <kbd className="font-sans">/</kbd> goes to the search box, <kbd className="font-sans">↑ ↓</kbd> walk the hits, <kbd className="font-sans">⌘K</kbd> opens everything else.
      </p>
    </Empty>
  );
}
