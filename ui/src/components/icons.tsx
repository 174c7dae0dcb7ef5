const paths = {
  memory: "M3 6a2 2 0 1 0 4 0a2 2 0 1 0-4 0M13 5a2 2 0 1 0 4 0a2 2 0 1 0-4 0M8 15a2 2 0 1 0 4 0a2 2 0 1 0-4 0M7 5.8l6-.6M6 7.8l3 5.4M14.2 6.9l-3.3 6.3",
  sliders: "M3 6h7M14 6h3M10 6a2 2 0 1 0 4 0a2 2 0 1 0-4 0M3 14h3M10 14h7M6 14a2 2 0 1 0 4 0a2 2 0 1 0-4 0",
  search: "M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM13 13l4 4",
  close: "M5 5l10 10M15 5 5 15",
  down: "M6 8l4 4 4-4",
  check: "M4.5 10.5l3.5 3.5 7.5-8",
  copy: "M7 7V4.5A1.5 1.5 0 0 1 8.5 3h7A1.5 1.5 0 0 1 17 4.5v7a1.5 1.5 0 0 1-1.5 1.5H13M4.5 7h7A1.5 1.5 0 0 1 13 8.5v7a1.5 1.5 0 0 1-1.5 1.5h-7A1.5 1.5 0 0 1 3 15.5v-7A1.5 1.5 0 0 1 4.5 7z",
  warn: "M10 3.5 2.8 16.5h14.4zM10 8.5v3.5M10 14.3v.1",
  pin: "M7.5 3h5l-.7 5 3 3.2H5.2l3-3.2zM10 11.2V17",
  plus: "M10 4v12M4 10h12",
  command: "M7 7h6v6H7zM7 7H5.5A1.5 1.5 0 1 1 7 5.5zM13 7V5.5A1.5 1.5 0 1 1 14.5 7zM13 13h1.5a1.5 1.5 0 1 1-1.5 1.5zM7 13v1.5A1.5 1.5 0 1 1 5.5 13z",
};

export type IconName = keyof typeof paths;

export function Icon({ name, className = "size-4" }: { name: IconName; className?: string }) {
  return (
    <svg viewBox="0 0 20 20" className={`shrink-0 ${className}`} fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
