/** A request that a person can paste into a terminal to see memory work. */
export function firstEventCurl(origin: string, apiKey: string): string {
  const events = [
    { session_id: "first-steps", channel: "private", kind: "message", actor: { type: "human", id: "ana", name: "Ana" }, content: { text: "I start at the aquarium on Monday." } },
    { session_id: "first-steps", channel: "private", kind: "message", actor: { type: "agent", id: "helper", name: "Helper" }, content: { text: "Good luck with the otters!" } },
  ];
  return `curl ${origin}/api/v1/events/batch \\
  -H "X-API-Key: ${apiKey}" \\
  -H "Content-Type: application/json" \\
  -d '{"events":[
    ${events.map((event) => JSON.stringify(event)).join(",\n    ")}
  ]}'`;
}
