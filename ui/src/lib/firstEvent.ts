const turn = (actor: string, text: string) => `{"session_id": "first-steps", "channel": "private",
     "kind": "message",
     "actor": ${actor},
     "content": {"text": "${text}"}}`;

/** A request that a person can paste into a terminal to see memory work. */
export function firstEventCurl(origin: string, apiKey: string): string {
  const asked = turn('{"type": "human", "id": "ana", "name": "Ana"}', "I start at the aquarium on Monday.");
  const answered = turn('{"type": "agent", "id": "helper"}', "Good luck with the otters!");
  return `curl ${origin}/api/v1/events/batch \\
  -H "X-API-Key: ${apiKey}" \\
  -H "Content-Type: application/json" \\
  -d '{"events": [
    ${asked},
    ${answered}
  ]}'`;
}
