const turn = (session_id, occurred_at, actor, text, extra = {}) => ({ session_id, channel: "private", kind: "message", actor, content: { text }, occurred_at, ...extra });
const ana = { type: "human", id: "ana", name: "Ana" };
const ben = { type: "human", id: "ben", name: "Ben" };
const helper = { type: "agent", id: "helper", name: "Helper" };

/** Invented people; the questions of the journey are answered by exactly one turn. */
export const conversation = [
  turn("s-9", "2026-02-11T09:38:00Z", ben, "Any news from the interview?"),
  turn("s-9", "2026-02-11T09:40:00Z", ana, "Aquarium called: I start on the first of March with the marine mammals team."),
  turn("s-9", "2026-02-11T09:41:00Z", ben, "Congratulations! We should celebrate on Saturday."),
  turn("s-14", "2026-03-03T18:01:00Z", ben, "How is the new job at the aquarium?"),
  turn("s-14", "2026-03-03T18:02:00Z", ana, "Feeding the otters is the best part of the new job, they hold my hand when I clean the tank."),
  turn("s-14", "2026-03-03T18:04:00Z", ana, "You should see the big one, Rui named him Admiral. He steals fish from the penguins."),
  turn("s-14", "2026-03-03T18:05:00Z", ben, "Send me a picture of Admiral when you can."),
  turn("s-17", "2026-03-20T20:15:00Z", ana, "Penguins again today. The smell stays in my hair for hours."),
  turn("s-17", "2026-03-20T20:17:00Z", helper, "I noted the plan for tomorrow: herring at nine, squid at four.", { agent_id: "helper" }),
  turn("s-17", "2026-03-20T20:18:00Z", { type: "tool", id: "meal-plan", name: "meal-plan" }, "def plan(tank):\n    if tank.size < 3:\n        return <b>\"half ration\"</b>\n    return \"full ration\"", { kind: "tool_result", agent_id: "helper" }),
];

/** Enough events that the timeline has to page. */
export const nightly = Array.from({ length: 260 }, (_, index) => ({
  agent_id: "support-agent",
  session_id: `night-${Math.floor(index / 40) + 1}`,
  channel: "team",
  kind: "note",
  actor: { type: "agent", id: "support-agent", name: "Support agent" },
  content: { text: `Ticket ${1000 + index}: checked the pump log, ${index % 7 === 0 ? "pressure low, told the keeper" : "all readings in range"}.` },
  occurred_at: new Date(Date.UTC(2026, 0, 12) + index * 17 * 60_000).toISOString(),
}));
