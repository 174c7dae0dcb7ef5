export interface DiffPiece {
  text: string;
  /** Only in the old text, only in the new one, or in both. */
  kind: "same" | "gone" | "new";
}

/** Cells of the table below at most; longer changes are shown as one block each. */
const mostCells = 4_000_000;

const words = (text: string) => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];

/** Lengths of the longest common runs of the ends `old[i..]` and `now[j..]`, row by row. */
function commonLengths(old: string[], now: string[]): Uint16Array[] {
  const rows = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i -= 1) {
    const [row, below] = [rows[i] as Uint16Array, rows[i + 1] as Uint16Array];
    for (let j = now.length - 1; j >= 0; j -= 1) row[j] = old[i] === now[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0);
  }
  return rows;
}

function middle(old: string[], now: string[]): DiffPiece[] {
  const whole = (list: string[], kind: DiffPiece["kind"]) => (list.length > 0 ? [{ text: list.join(""), kind }] : []);
  if (old.length * now.length > mostCells) return [...whole(old, "gone"), ...whole(now, "new")];
  const rows = commonLengths(old, now);
  const pieces: DiffPiece[] = [];
  let [i, j] = [0, 0];
  while (i < old.length && j < now.length) {
    if (old[i] === now[j]) {
      pieces.push({ text: old[i] as string, kind: "same" });
      i += 1;
      j += 1;
    } else if ((rows[i + 1]?.[j] ?? 0) >= (rows[i]?.[j + 1] ?? 0)) {
      pieces.push({ text: old[i] as string, kind: "gone" });
      i += 1;
    } else {
      pieces.push({ text: now[j] as string, kind: "new" });
      j += 1;
    }
  }
  return [...pieces, ...whole(old.slice(i), "gone"), ...whole(now.slice(j), "new")];
}

/** Puts neighbours of one kind together; what went and what came of one change stand side by side. */
function gathered(pieces: DiffPiece[]): DiffPiece[] {
  const out: DiffPiece[] = [];
  let change = { gone: "", new: "" };
  const settle = () => {
    if (change.gone) out.push({ text: change.gone, kind: "gone" });
    if (change.new) out.push({ text: change.new, kind: "new" });
    change = { gone: "", new: "" };
  };
  pieces.forEach(({ text, kind }, index) => {
    // A space between two changed words is part of the change.
    const next = pieces[index + 1];
    const bridges = kind === "same" && /^\s+$/.test(text) && change.gone !== "" && change.new !== "" && next !== undefined && next.kind !== "same";
    if (bridges) change = { gone: change.gone + text, new: change.new + text };
    if (kind !== "same") change[kind] += text;
    if (kind !== "same" || bridges) return;
    settle();
    const last = out.at(-1);
    if (last?.kind === "same") last.text += text;
    else out.push({ text, kind });
  });
  settle();
  return out;
}

/** What changed between two texts, word by word. The pieces not new joined are the old text, those not gone the new one. */
export function diff(old: string, now: string): DiffPiece[] {
  const [a, b] = [words(old), words(now)];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  const same = (list: string[]): DiffPiece[] => (list.length > 0 ? [{ text: list.join(""), kind: "same" }] : []);
  return gathered([...same(a.slice(0, head)), ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)), ...same(a.slice(a.length - tail))]);
}
