import { speakerOf, type Hit } from "../api/recall";

interface Line {
  id: string;
  who: string;
  text: string;
  isHit: boolean;
}

/** The neighbours and the hit itself, in the order they were said. */
function lines(hit: Hit): Line[] {
  const near = hit.neighbours.map(({ event_id, actor, text, offset }) => ({ at: offset, line: { id: event_id, who: actor, text, isHit: false } }));
  const own = { at: 0, line: { id: hit.id, who: speakerOf(hit), text: hit.text, isHit: true } };
  return [...near, own].sort((a, b) => a.at - b.at).map(({ line }) => line);
}

export function Around({ hit }: { hit: Hit }) {
  if (hit.neighbours.length === 0) return null;
  return (
    <section>
      <h2 className="pb-1 font-semibold">Around it</h2>
      <ol className="grid gap-1.5">
        {lines(hit).map((line) => (
          <li key={line.id} className={line.isHit ? "border-l-2 border-glow pl-2" : "border-l-2 border-transparent pl-2 text-muted"}>
            <p className="line-clamp-3 break-words">
              <span className="font-medium">{line.who}: </span>
              {line.text}
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}
