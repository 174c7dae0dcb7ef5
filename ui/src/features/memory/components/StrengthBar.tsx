/** How strongly a memory is kept, 0–1, as a filled length. */
export function StrengthBar({ strength, className = "w-16" }: { strength: number; className?: string }) {
  return (
    <span role="img" aria-label={`Strength ${strength.toFixed(2)}`} className={`inline-flex h-1.5 shrink-0 overflow-hidden rounded-full bg-track align-middle ${className}`}>
      <span className="h-full bg-context" style={{ width: `${(Math.min(1, strength) * 100).toFixed(1)}%` }} />
    </span>
  );
}
