-- What was derived from events or said to be remembered. The head is the last version; memory_versions keeps them all.
CREATE TABLE memories (
    tenant_id TEXT NOT NULL,
    memory_id TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    type TEXT NOT NULL,
    text TEXT NOT NULL,
    text_hash TEXT NOT NULL,
    subject TEXT,
    user_id TEXT NOT NULL,
    agent_id TEXT,
    conversation_id TEXT,
    scope_id TEXT,
    scope_version BIGINT NOT NULL,
    channel TEXT NOT NULL,
    sensitivity TEXT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT,
    recorded_at BIGINT NOT NULL,
    superseded_by TEXT,
    importance DOUBLE PRECISION NOT NULL,
    pinned BOOLEAN NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    use_count BIGINT NOT NULL,
    trust TEXT NOT NULL,
    state TEXT NOT NULL,
    derived_by TEXT NOT NULL,
    confidence DOUBLE PRECISION NOT NULL,
    tags TEXT NOT NULL,
    metadata TEXT NOT NULL,
    merged_count BIGINT NOT NULL
);
CREATE INDEX ix_memories_user_id ON memories (tenant_id, user_id, recorded_at, memory_id);
CREATE INDEX ix_memories_conversation_id ON memories (tenant_id, user_id, conversation_id);
CREATE INDEX ix_memories_subject ON memories (tenant_id, user_id, subject);
CREATE INDEX ix_memories_text_hash ON memories (tenant_id, user_id, text_hash);
CREATE INDEX ix_memories_superseded_by ON memories (tenant_id, superseded_by);
CREATE INDEX ix_memories_state ON memories (tenant_id, user_id, state, pinned);
CREATE INDEX ix_memories_scope_version ON memories (scope_id, scope_version, memory_id);
CREATE INDEX ix_memories_expires_at ON memories (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE memory_versions (
    tenant_id TEXT NOT NULL,
    memory_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    op TEXT NOT NULL,
    text TEXT NOT NULL,
    fields TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    retired_at BIGINT,
    actor TEXT NOT NULL,
    edit_id TEXT,
    reason TEXT,
    PRIMARY KEY (memory_id, version)
);
CREATE INDEX ix_memory_versions_memory_id ON memory_versions (tenant_id, memory_id, version);

CREATE TABLE memory_sources (
    tenant_id TEXT NOT NULL,
    memory_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    start_byte BIGINT,
    end_byte BIGINT,
    PRIMARY KEY (memory_id, event_id)
);
CREATE INDEX ix_memory_sources_event_id ON memory_sources (tenant_id, event_id);

-- Facts that must not be derived again: keyed hashes of subject and words, never the words.
CREATE TABLE blocked_facts (
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    edit_id TEXT,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id, fingerprint)
);

-- Proposals, and what was done at once; user_id owns the target.
CREATE TABLE edits (
    tenant_id TEXT NOT NULL,
    edit_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    target_type TEXT NOT NULL,
    target_id TEXT NOT NULL,
    target_version BIGINT NOT NULL,
    op TEXT NOT NULL,
    patch TEXT NOT NULL,
    reason TEXT,
    proposed_by TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    status TEXT NOT NULL,
    decided_by TEXT,
    decided_at BIGINT
);
CREATE INDEX ix_edits_status ON edits (tenant_id, user_id, status, edit_id);
CREATE INDEX ix_edits_target_id ON edits (tenant_id, target_id);

CREATE TABLE blocks (
    tenant_id TEXT NOT NULL,
    block_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    label TEXT NOT NULL,
    text TEXT NOT NULL,
    limit_chars BIGINT NOT NULL,
    read_only BOOLEAN NOT NULL,
    description TEXT NOT NULL,
    version BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX ux_blocks_label ON blocks (tenant_id, user_id, agent_id, label);

CREATE TABLE block_versions (
    tenant_id TEXT NOT NULL,
    block_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    text TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    PRIMARY KEY (block_id, version)
);

-- Decisions and tasks are made from the events of their kind, which they name.
CREATE TABLE decisions (
    tenant_id TEXT NOT NULL,
    decision_id TEXT NOT NULL PRIMARY KEY,
    event_id TEXT NOT NULL,
    ts BIGINT NOT NULL,
    status TEXT NOT NULL,
    scope TEXT NOT NULL,
    decision TEXT NOT NULL,
    rationale TEXT NOT NULL,
    constraints TEXT NOT NULL,
    alternatives TEXT NOT NULL,
    consequences TEXT NOT NULL,
    refs TEXT NOT NULL,
    subject TEXT,
    supersedes TEXT,
    superseded_by TEXT,
    user_id TEXT NOT NULL,
    agent_id TEXT,
    session_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    sensitivity TEXT NOT NULL
);
CREATE INDEX ix_decisions_status ON decisions (tenant_id, user_id, status, ts, decision_id);
CREATE INDEX ix_decisions_subject ON decisions (tenant_id, user_id, subject);
CREATE INDEX ix_decisions_event_id ON decisions (tenant_id, event_id);

CREATE TABLE tasks (
    tenant_id TEXT NOT NULL,
    task_id TEXT NOT NULL PRIMARY KEY,
    event_id TEXT NOT NULL,
    external_id TEXT,
    status TEXT NOT NULL,
    title TEXT NOT NULL,
    details TEXT NOT NULL,
    priority BIGINT NOT NULL,
    due_at BIGINT,
    blocked_by TEXT NOT NULL,
    assignee TEXT,
    refs TEXT NOT NULL,
    user_id TEXT NOT NULL,
    agent_id TEXT,
    session_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    sensitivity TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX ix_tasks_status ON tasks (tenant_id, user_id, status, task_id);
CREATE UNIQUE INDEX ux_tasks_external_id ON tasks (tenant_id, user_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX ix_tasks_event_id ON tasks (tenant_id, event_id);

CREATE TABLE rules (
    tenant_id TEXT NOT NULL,
    rule_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    channel TEXT NOT NULL,
    priority BIGINT NOT NULL,
    content TEXT NOT NULL,
    token_est BIGINT NOT NULL,
    state TEXT NOT NULL,
    recorded_at BIGINT NOT NULL
);
CREATE INDEX ix_rules_scope ON rules (tenant_id, state, scope, rule_id);

CREATE TABLE capsules (
    tenant_id TEXT NOT NULL,
    capsule_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    author_agent_id TEXT NOT NULL,
    audience_agent_ids TEXT NOT NULL,
    subject_type TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    packet TEXT NOT NULL,
    items TEXT NOT NULL,
    risks TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    status TEXT NOT NULL
);
CREATE INDEX ix_capsules_status ON capsules (tenant_id, user_id, status, capsule_id);
CREATE INDEX ix_capsules_expires_at ON capsules (expires_at);

CREATE TABLE entities (
    tenant_id TEXT NOT NULL,
    entity_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    entity_type TEXT NOT NULL,
    recorded_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX ux_entities_name ON entities (tenant_id, user_id, name);

CREATE TABLE relations (
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    from_name TEXT NOT NULL,
    to_name TEXT NOT NULL,
    relation_type TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id, from_name, to_name, relation_type)
);
CREATE INDEX ix_relations_to ON relations (tenant_id, user_id, to_name);

-- What a bundle referred to, without its text.
CREATE TABLE bundles (
    tenant_id TEXT NOT NULL,
    acb_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    digest TEXT NOT NULL,
    refs TEXT NOT NULL,
    token_used_est BIGINT NOT NULL,
    budget_tokens BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL
);
CREATE INDEX ix_bundles_recorded_at ON bundles (recorded_at, acb_id);
CREATE INDEX ix_bundles_user_id ON bundles (tenant_id, user_id, acb_id);
