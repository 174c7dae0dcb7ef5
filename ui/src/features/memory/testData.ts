import type { MemoryItem } from "./api/memories";
import type { Edit } from "./api/review";
import type { Task } from "./api/work";

/** A memory as the server tells it, for tests. */
export const memoryOf = (memory_id: string, text: string, more: Partial<MemoryItem> = {}): MemoryItem => ({
  memory_id,
  version: 1,
  type: "fact",
  text,
  user_id: "usr_1",
  channel: "private",
  sensitivity: "none",
  valid_from: "2026-03-01T00:00:00Z",
  recorded_at: "2026-03-02T00:00:00Z",
  importance: 0.5,
  strength: 0.5,
  pinned: false,
  use_count: 0,
  trust: "user",
  state: "active",
  derived_by: "user",
  confidence: 1,
  tags: [],
  metadata: {},
  merged_count: 1,
  ...more,
});

export const editOf = (edit_id: string, target_id: string, more: Partial<Edit> = {}): Edit => ({
  edit_id,
  user_id: "usr_1",
  target_type: "memory",
  target_id,
  target_version: 1,
  op: "amend",
  patch: {},
  proposed_by: "key_1",
  recorded_at: "2026-03-03T00:00:00Z",
  status: "pending",
  ...more,
});

export const taskOf = (task_id: string, title: string, more: Partial<Task> = {}): Task => ({
  task_id,
  event_id: "evt_1",
  status: "open",
  title,
  details: "",
  priority: 0,
  blocked_by: [],
  refs: [],
  user_id: "usr_1",
  session_id: "tasks",
  channel: "private",
  sensitivity: "none",
  recorded_at: "2026-03-03T00:00:00Z",
  updated_at: "2026-03-03T00:00:00Z",
  ...more,
});

const stats = { user_id: "usr_1", events: 3, sessions: 2, embedding: { state: "none" } };
/** What every page of Memory asks for beside its own. */
export const around = { "GET /api/v1/memory/stats": () => ({ body: stats }), "GET /api/v1/sessions": () => ({ body: { items: [], next_cursor: null } }) };
export const page = (items: unknown[]) => ({ body: { items, next_cursor: null } });
