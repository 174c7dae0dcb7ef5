/** Hairline rows that hold the place of a list being fetched. */
export function Waiting({ label, rows = 6 }: { label: string; rows?: number }) {
  return (
    <div role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="grid gap-2 border-b border-line px-5 py-4">
          <div className="h-3 w-2/3 rounded-sm bg-track" />
          <div className="h-2.5 w-1/3 rounded-sm bg-track" />
        </div>
      ))}
    </div>
  );
}
