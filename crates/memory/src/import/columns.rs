//! What a line of our own export may hold: each kind's columns in the order of their rows, and what each must be.

/// What a column must hold.
#[derive(Clone, Copy, Debug)]
pub(super) enum Role {
    /// The row's own id, or that of another row: the prefix that it has.
    Id(&'static str),
    /// As `Id`, and may be null.
    MaybeId,
    /// A list of references, ours and others.
    Refs,
    /// Whose it is; the caller must be allowed to write as them.
    Owner,
    /// A caller's own word.
    Name,
    /// As `Name`, and may be null.
    MaybeName,
    /// Words of people or agents: cleaned of secrets, at most so many characters.
    Text(usize),
    /// As `Text`, and may be null.
    MaybeText(usize),
    /// A JSON object, kept as text: cleaned of secrets.
    Object,
    /// A JSON list, kept as text: cleaned of secrets.
    List,
    /// As `List`, of texts alone.
    Texts,
    /// A whole number from 0 on.
    Whole,
    /// An instant in µs, or any other whole number.
    Instant,
    /// As `Instant`, and may be null.
    MaybeInstant,
    /// A share, 0–1.
    Share,
    /// True or false.
    Flag,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// How far it is trusted; `import` unless an administrator vouches for the file.
    Trust,
    /// 64 hexadecimal digits.
    Sha256,
}

/// A kind of line.
#[derive(Debug)]
pub(super) struct Kind {
    /// Its `type`.
    pub(super) word: &'static str,
    /// `INSERT INTO …` with the tenant, the columns below, and what is derived.
    pub(super) insert: &'static str,
    /// Its columns but the tenant's.
    pub(super) columns: &'static [(&'static str, Role)],
}

impl Kind {
    /// The kind of a word.
    pub(super) fn of(word: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.word == word)
    }

    /// The place of a column.
    pub(super) fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|(name, _)| *name == column)
    }
}

use Role::{
    Flag, Id, Instant, List, MaybeId, MaybeInstant, MaybeName, MaybeText, Name, Object, OneOf, Owner, Refs,
    Sha256, Share, Text, Texts, Trust, Whole,
};

const CHANNELS: Role = OneOf(&["private", "team", "public", "agent"]);
const SENSITIVITIES: Role = OneOf(&["none", "low", "high", "secret"]);
const LONG: usize = 64 * 1024;

/// Every kind, parents before what rests on them.
pub(super) const KINDS: &[Kind] = &[
    Kind {
        word: "conversation",
        insert: "INSERT INTO memory_sessions (tenant_id, user_id, session_id, last_seq, event_count, first_at, last_at)",
        columns: &[
            ("user_id", Owner),
            ("session_id", Name),
            ("last_seq", Whole),
            ("event_count", Whole),
            ("first_at", Instant),
            ("last_at", Instant),
        ],
    },
    Kind {
        word: "event",
        insert: "INSERT INTO events (tenant_id, event_id, user_id, agent_id, session_id, seq, kind, channel, sensitivity,
             actor_type, actor_id, actor_name, occurred_at, recorded_at, tags, content, refs, artifact_id, text_bytes,
             token_est, trust, recalled, client_event_id, content_hash, redactions, expires_at)",
        columns: &[
            ("event_id", Id("evt")),
            ("user_id", Owner),
            ("agent_id", MaybeName),
            ("session_id", Name),
            ("seq", Whole),
            ("kind", OneOf(&["message", "tool_call", "tool_result", "decision", "task_update", "artifact", "note"])),
            ("channel", CHANNELS),
            ("sensitivity", SENSITIVITIES),
            ("actor_type", OneOf(&["human", "agent", "tool"])),
            ("actor_id", Name),
            ("actor_name", MaybeText(256)),
            ("occurred_at", Instant),
            ("recorded_at", Instant),
            ("tags", Refs),
            ("content", Object),
            ("refs", Refs),
            ("artifact_id", MaybeId),
            ("text_bytes", Whole),
            ("token_est", Whole),
            ("trust", Trust),
            ("recalled", Flag),
            ("client_event_id", MaybeName),
            ("content_hash", Sha256),
            ("redactions", List),
            ("expires_at", MaybeInstant),
        ],
    },
    Kind {
        word: "entity",
        insert: "INSERT INTO entities (tenant_id, entity_id, user_id, name, entity_type, recorded_at)",
        columns: &[
            ("entity_id", Id("ent")),
            ("user_id", Owner),
            ("name", Text(256)),
            ("entity_type", Text(256)),
            ("recorded_at", Instant),
        ],
    },
    Kind {
        word: "relation",
        insert: "INSERT INTO relations (tenant_id, user_id, from_name, to_name, relation_type, recorded_at)",
        columns: &[
            ("user_id", Owner),
            ("from_name", Text(256)),
            ("to_name", Text(256)),
            ("relation_type", Text(256)),
            ("recorded_at", Instant),
        ],
    },
    Kind {
        word: "capsule",
        insert: "INSERT INTO capsules (tenant_id, capsule_id, user_id, author_agent_id, audience_agent_ids, subject_type,
             subject_id, packet, items, risks, recorded_at, expires_at, status)",
        columns: &[
            ("capsule_id", Id("cap")),
            ("user_id", Owner),
            ("author_agent_id", Name),
            ("audience_agent_ids", Texts),
            ("subject_type", Name),
            ("subject_id", Name),
            ("packet", Object),
            ("items", List),
            ("risks", List),
            ("recorded_at", Instant),
            ("expires_at", Instant),
            ("status", OneOf(&["active", "expired", "revoked"])),
        ],
    },
    Kind {
        word: "rule",
        insert: "INSERT INTO rules (tenant_id, rule_id, user_id, scope, channel, priority, content, token_est, state, recorded_at)",
        columns: &[
            ("rule_id", Id("rul")),
            ("user_id", Owner),
            ("scope", Name),
            ("channel", Name),
            ("priority", Instant),
            ("content", Text(LONG)),
            ("token_est", Whole),
            ("state", Name),
            ("recorded_at", Instant),
        ],
    },
    Kind {
        word: "block",
        insert: "INSERT INTO blocks (tenant_id, block_id, user_id, agent_id, label, text, limit_chars, read_only, description,
             version, recorded_at, deleted)",
        columns: &[
            ("block_id", Id("blk")),
            ("user_id", Owner),
            ("agent_id", Text(256)),
            ("label", Text(1_024)),
            ("text", Text(20_000)),
            ("limit_chars", Whole),
            ("read_only", Flag),
            ("description", Text(LONG)),
            ("version", Whole),
            ("recorded_at", Instant),
            ("deleted", Flag),
        ],
    },
    Kind {
        word: "block_version",
        insert: "INSERT INTO block_versions (tenant_id, block_id, version, text, recorded_at, actor)",
        columns: &[
            ("block_id", Id("blk")),
            ("version", Whole),
            ("text", Text(20_000)),
            ("recorded_at", Instant),
            ("actor", Name),
        ],
    },
    Kind {
        word: "task",
        insert: "INSERT INTO tasks (tenant_id, task_id, event_id, external_id, status, title, details, priority, due_at,
             blocked_by, assignee, refs, user_id, agent_id, session_id, channel, sensitivity, recorded_at, updated_at)",
        columns: &[
            ("task_id", Id("tsk")),
            ("event_id", Id("evt")),
            ("external_id", MaybeName),
            ("status", OneOf(&["open", "doing", "done", "cancelled"])),
            ("title", Text(LONG)),
            ("details", Text(LONG)),
            ("priority", Instant),
            ("due_at", MaybeInstant),
            ("blocked_by", Refs),
            ("assignee", MaybeText(256)),
            ("refs", Refs),
            ("user_id", Owner),
            ("agent_id", MaybeName),
            ("session_id", Name),
            ("channel", CHANNELS),
            ("sensitivity", SENSITIVITIES),
            ("recorded_at", Instant),
            ("updated_at", Instant),
        ],
    },
    Kind {
        word: "decision",
        insert: "INSERT INTO decisions (tenant_id, decision_id, event_id, ts, status, scope, decision, rationale, constraints,
             alternatives, consequences, refs, subject, supersedes, superseded_by, user_id, agent_id, session_id, channel,
             sensitivity)",
        columns: &[
            ("decision_id", Id("dec")),
            ("event_id", Id("evt")),
            ("ts", Instant),
            ("status", OneOf(&["active", "superseded"])),
            ("scope", OneOf(&["project", "user", "global"])),
            ("decision", Text(LONG)),
            ("rationale", Texts),
            ("constraints", Texts),
            ("alternatives", Texts),
            ("consequences", Texts),
            ("refs", Refs),
            ("subject", MaybeText(LONG)),
            ("supersedes", MaybeId),
            ("superseded_by", MaybeId),
            ("user_id", Owner),
            ("agent_id", MaybeName),
            ("session_id", Name),
            ("channel", CHANNELS),
            ("sensitivity", SENSITIVITIES),
        ],
    },
    Kind {
        word: "memory",
        insert: "INSERT INTO memories (tenant_id, memory_id, version, type, text, subject, user_id, agent_id, conversation_id,
             channel, sensitivity, valid_from, valid_to, recorded_at, superseded_by, importance, pinned, expires_at,
             last_used_at, use_count, trust, state, derived_by, confidence, tags, metadata, merged_count, text_hash, scope_id,
             scope_version)",
        columns: &[
            ("memory_id", Id("mem")),
            ("version", Whole),
            (
                "memory_type",
                OneOf(&["fact", "preference", "episode", "decision", "task", "rule", "procedure", "summary"]),
            ),
            ("text", Text(8_000)),
            ("subject", MaybeText(LONG)),
            ("user_id", Owner),
            ("agent_id", MaybeName),
            ("conversation_id", MaybeName),
            ("channel", CHANNELS),
            ("sensitivity", SENSITIVITIES),
            ("valid_from", Instant),
            ("valid_to", MaybeInstant),
            ("recorded_at", Instant),
            ("superseded_by", MaybeId),
            ("importance", Share),
            ("pinned", Flag),
            ("expires_at", MaybeInstant),
            ("last_used_at", MaybeInstant),
            ("use_count", Whole),
            ("trust", Trust),
            ("state", OneOf(&["active", "quarantined", "retracted", "blocked"])),
            ("derived_by", Name),
            ("confidence", Share),
            ("tags", Refs),
            ("metadata", Object),
            ("merged_count", Whole),
        ],
    },
    Kind {
        word: "memory_source",
        insert: "INSERT INTO memory_sources (tenant_id, memory_id, event_id, start_byte, end_byte)",
        columns: &[
            ("memory_id", Id("mem")),
            ("event_id", Id("evt")),
            ("start_byte", MaybeInstant),
            ("end_byte", MaybeInstant),
        ],
    },
    Kind {
        word: "edit",
        insert: "INSERT INTO edits (tenant_id, edit_id, user_id, target_type, target_id, target_version, op, patch, reason,
             proposed_by, recorded_at, status, decided_by, decided_at)",
        columns: &[
            ("edit_id", Id("edt")),
            ("user_id", Owner),
            ("target_type", Name),
            ("target_id", MaybeId),
            ("target_version", Whole),
            ("op", Name),
            ("patch", Object),
            ("reason", MaybeText(LONG)),
            ("proposed_by", Name),
            ("recorded_at", Instant),
            ("status", OneOf(&["pending", "approved", "rejected"])),
            ("decided_by", MaybeName),
            ("decided_at", MaybeInstant),
        ],
    },
    Kind {
        word: "memory_version",
        insert: "INSERT INTO memory_versions (tenant_id, memory_id, version, op, text, fields, recorded_at, retired_at, actor,
             edit_id, reason)",
        columns: &[
            ("memory_id", Id("mem")),
            ("version", Whole),
            ("op", Name),
            ("text", Text(8_000)),
            ("fields", Object),
            ("recorded_at", Instant),
            ("retired_at", MaybeInstant),
            ("actor", Name),
            ("edit_id", MaybeId),
            ("reason", MaybeText(LONG)),
        ],
    },
    Kind {
        word: "artifact",
        insert: "INSERT INTO artifacts (tenant_id, artifact_id, event_id, media_type, size_bytes, sha256, excerpt, refs,
             blob_key)",
        columns: &[
            ("artifact_id", Id("art")),
            ("event_id", Id("evt")),
            ("media_type", Name),
            ("size_bytes", Whole),
            ("sha256", Sha256),
            ("excerpt", Text(LONG)),
            ("refs", Refs),
        ],
    },
];
