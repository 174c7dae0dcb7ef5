export interface Piece {
  text: string;
  marked: boolean;
}

const escape = (form: string) => form.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
/** Scripts written without spaces have no word edges to respect. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const pattern = (form: string) => (unspaced.test(form) ? escape(form) : `(?<![\\p{L}\\p{N}])${escape(form)}(?![\\p{L}\\p{N}])`);

/** Cuts a text where whole matched forms begin and end. The pieces joined are the text. */
export function highlight(text: string, forms: string[]): Piece[] {
  const wanted = [...new Set(forms.filter(Boolean))].sort((a, b) => b.length - a.length);
  if (wanted.length === 0) return [{ text, marked: false }];
  return text
    .split(new RegExp(`(${wanted.map(pattern).join("|")})`, "giu"))
    .map((piece, index) => ({ text: piece, marked: index % 2 === 1 }))
    .filter((piece) => piece.text !== "");
}
