/** The arch with its ember. */
export function Mark({ className = "h-7" }: { className?: string }) {
  return (
    <svg viewBox="4 3 24 26" className={className} aria-hidden="true">
      <path className="fill-ink" d="M4 29V15a12 12 0 0 1 24 0v14h-6V15.5a6 6 0 0 0-12 0V29z" />
      <path className="fill-glow" d="M16 17c2.6 3.2 4 5.2 4 7.6a4 4 0 0 1-8 0c0-2.4 1.4-4.4 4-7.6z" />
    </svg>
  );
}
