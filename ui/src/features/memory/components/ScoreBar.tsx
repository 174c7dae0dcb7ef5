import { bandShares, bands } from "../score";
import type { ScorePart } from "../api/recall";
import { cx } from "@/lib/cx";

interface ScoreBarProps {
  parts: ScorePart[];
  score: number;
}

/** The score as a filled length, coloured by what it came from. */
export function ScoreBar({ parts, score }: ScoreBarProps) {
  const shares = bandShares(parts, score);
  const percent = (share: number) => `${(share * 100).toFixed(2)}%`;
  const said = bands.map((band) => `${band.label} ${shares[band.id].toFixed(2)}`).join(", ");
  return (
    <span role="img" aria-label={`Score ${score.toFixed(2)}: ${said}`} className="flex h-1.5 w-full max-w-60 overflow-hidden rounded-full bg-track">
      {bands.map((band) => (
        <span key={band.id} data-band={band.id} className={cx("h-full", band.fill)} style={{ width: percent(shares[band.id]) }} />
      ))}
    </span>
  );
}

export function ScoreLegend() {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 text-sm text-muted" aria-label="What a score is made of">
      {bands.map((band) => (
        <li key={band.id} className="flex items-center gap-1.5">
          <span className={cx("size-2 rounded-full", band.fill)} />
          {band.label}
        </li>
      ))}
    </ul>
  );
}
