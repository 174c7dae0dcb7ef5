export interface Span {
  before: string;
  span: string;
  after: string;
}

/** Cuts a text around a range of its UTF-8 bytes; without one the text is its own surroundings. */
export function spanOf(text: string, start: number | null | undefined, end: number | null | undefined, around: number): Span {
  const bytes = new TextEncoder().encode(text);
  if (start == null || end == null || start >= end || end > bytes.length) {
    return { before: text.length > 2 * around ? `${text.slice(0, 2 * around)}…` : text, span: "", after: "" };
  }
  const read = (from: number, to: number) => new TextDecoder().decode(bytes.subarray(from, to));
  const [before, after] = [read(0, start), read(end, bytes.length)];
  return {
    before: before.length > around ? `…${before.slice(-around)}` : before,
    span: read(start, end),
    after: after.length > around ? `${after.slice(0, around)}…` : after,
  };
}
