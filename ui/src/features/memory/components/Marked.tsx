import { highlight } from "../highlight";

export function Marked({ text, forms }: { text: string; forms: string[] }) {
  return highlight(text, forms).map((piece, index) => (piece.marked ? <mark key={index}>{piece.text}</mark> : piece.text));
}
