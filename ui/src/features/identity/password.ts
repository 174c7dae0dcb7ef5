export const minimumLength = 12;

export interface Strength {
  /** 0 refused, 1 weak, 2 fair, 3 strong. */
  level: 0 | 1 | 2 | 3;
  says: string;
}

/** Judges what can be seen from here: length, variety, and words the form already holds. */
export function judgePassword(password: string, known: string[]): Strength {
  const missing = minimumLength - [...password].length;
  if (missing > 0) return { level: 0, says: `Too short: ${missing} more ${missing === 1 ? "character" : "characters"}.` };
  const folded = password.toLowerCase();
  const inside = known.find((word) => word.length > 2 && folded.includes(word.toLowerCase()));
  if (inside) return { level: 1, says: `Weak: it contains “${inside}”.` };
  const variety = new Set(folded).size;
  if (variety < 6) return { level: 1, says: "Weak: it repeats a few characters." };
  if (password.length < 16) return { level: 2, says: "Fair: four words in a row would be stronger." };
  return { level: 3, says: "Strong, if nobody else uses this phrase." };
}
