export interface Place {
  to: string;
  label: string;
}

/** The pages of Memory, as its panel and the palette name them. */
export const places: Place[] = [
  { to: "/memory", label: "Search" },
  { to: "/memory/timeline", label: "Timeline" },
  { to: "/memory/memories", label: "Memories" },
  { to: "/memory/decisions", label: "Decisions" },
  { to: "/memory/tasks", label: "Tasks" },
  { to: "/memory/blocks", label: "Blocks" },
  { to: "/memory/context", label: "Context" },
  { to: "/memory/review", label: "Review" },
  { to: "/memory/data", label: "Data" },
];
