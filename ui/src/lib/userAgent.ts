const browsers: [RegExp, string][] = [
  [/Edg\//, "Edge"],
  [/Firefox\//, "Firefox"],
  [/Chrome\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const systems: [RegExp, string][] = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/Linux/, "Linux"],
];
const first = (table: [RegExp, string][], text: string) => table.find(([pattern]) => pattern.test(text))?.[1];

/** "Firefox on Linux"; what is not a browser keeps its own name. */
export function describeAgent(userAgent: string | null | undefined): string {
  if (!userAgent) return "Unknown device";
  const browser = first(browsers, userAgent);
  const system = first(systems, userAgent);
  return browser ? [browser, system].filter(Boolean).join(" on ") : (userAgent.split(" ")[0] ?? userAgent);
}
