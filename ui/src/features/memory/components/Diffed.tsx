import { diff } from "../diff";

const looks = {
  gone: "rounded-xs bg-bad/12 text-bad line-through decoration-bad/60",
  new: "ml-0.5 rounded-xs bg-good/14 text-good no-underline",
};

/** The new text with what went struck through and what came set off. */
export function Diffed({ before, now }: { before: string; now: string }) {
  return (
    <p className="break-words whitespace-pre-wrap">
      {diff(before, now).map(({ text, kind }, index) => {
        if (kind === "same") return text;
        const Part = kind === "gone" ? "del" : "ins";
        return (
          <Part key={index} className={looks[kind]}>
            {text}
          </Part>
        );
      })}
    </p>
  );
}
