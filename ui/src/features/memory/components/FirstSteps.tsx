import { Link } from "@tanstack/react-router";
import { CodeBlock } from "@/components/CodeBlock";
import { Empty } from "@/components/Empty";
import { firstEventCurl } from "@/lib/firstEvent";

/** What a new workspace shows: the two steps to a first memory. */
export function FirstSteps() {
  return (
    <Empty title="Nothing is remembered yet">
      <p className="text-muted">Memory fills when a program records what was said and done. Two steps to the first one:</p>
      <ol className="grid gap-5 pt-1">
        <li className="grid gap-2">
          <p>
            <span className="font-semibold text-ember">1</span> &nbsp;Make an API key that may write and read memory.
          </p>
          <Link to="/settings/api-keys" className="justify-self-start rounded bg-fire px-3 py-1.5 font-medium text-on-fire hover:brightness-95">
            Make an API key
          </Link>
        </li>
        <li className="grid min-w-0 gap-2">
          <p>
            <span className="font-semibold text-ember">2</span> &nbsp;Record a first conversation with it. This page notices when it arrives.
          </p>
          <CodeBlock label="In a terminal" code={firstEventCurl(location.origin, "YOUR_KEY")} />
        </li>
      </ol>
    </Empty>
  );
}
