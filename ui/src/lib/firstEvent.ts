const turn = (owner: string | undefined, actor: string, text: string) => `{"session_id": "first-steps", "channel": "private",
     "kind": "message",${owner ? ` "user_id": "${owner}",` : ""}
     "actor": ${actor},
     "content": {"text": "${text}"}}`;

/** A request that a person can paste into a terminal to see memory work. `owner`: for a key that acts for anyone. */
export function firstEventCurl(origin: string, apiKey: string, owner?: string): string {
  const asked = turn(owner, '{"type": "human", "id": "ana", "name": "Ana"}', "I start at the aquarium on Monday.");
  const answered = turn(owner, '{"type": "agent", "id": "helper"}', "Good luck with the otters!");
  return `curl ${origin}/api/v1/events/batch \\
  -H "X-API-Key: ${apiKey}" \\
  -H "Content-Type: application/json" \\
  -d '{"events": [
    ${asked},
    ${answered}
  ]}'`;
}
