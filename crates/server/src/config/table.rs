//! Every setting: its name, older names, kind, default and meaning. Reference, schema and checks are made from this table.

use super::setting::{Kind, Setting, alias, alias_in, setting};

const WEEK_MS: i64 = 7 * 86_400_000;

/// All settings, in the order of the reference.
pub const SETTINGS: &[Setting] = &[
    setting(
        "ENVIRONMENT",
        Kind::Choice(&["development", "production", "staging", "test"]),
        "development",
        "Rules of start-up: staging follows production, test follows development.",
    )
    .or(&[alias("NODE_ENV")]),
    setting("HOST", Kind::Text, "", "Address to listen on; 127.0.0.1, in production 0.0.0.0.")
        .or(&[alias("API_HOST")]),
    setting("PORT", Kind::Number(0, 65_535), "8080", "Port to listen on; 0 takes a free one.").or(&[
        alias("SERVER_PORT"),
        alias("API_PORT"),
        alias("APP_PORT"),
        alias("ADMIN_API_PORT"),
    ]),
    setting(
        "LISTEN",
        Kind::List,
        "",
        "Addresses with ports to listen on together, instead of HOST and PORT.",
    ),
    setting(
        "RUN_MODE",
        Kind::Choice(&["api", "web", "worker", "both"]),
        "api",
        "api and both serve HTTP and run jobs, web serves only, worker runs jobs only.",
    ),
    setting(
        "DATA_DIR",
        Kind::Text,
        "./data",
        "Directory of the embedded database, objects, models and made secrets.",
    )
    .or(&[alias("DATA_PATH")]),
    setting("SERVICE_NAME", Kind::Text, "hearth", "Name that /health answers with."),
    setting(
        "DATABASE_URL",
        Kind::Text,
        "",
        "postgres://…, postgresql://… or sqlite:<file>; SQLite in DATA_DIR when absent.",
    )
    .or(&[alias("POSTGRES_URL")])
    .secret(),
    setting(
        "DATABASE_URL_REPLICA",
        Kind::Text,
        "",
        "A streaming standby of that PostgreSQL, for lists, history, reports and exports; needs REDIS_URL in production.",
    )
    .secret(),
    setting("DATABASE_POOL_MAX", Kind::Number(1, 1_000), "20", "Connections to the database at most.")
        .or(&[alias("PGPOOL_MAX")]),
    setting("DATABASE_POOL_MIN", Kind::Number(0, 1_000), "5", "Connections kept open.")
        .or(&[alias("PGPOOL_MIN")]),
    setting(
        "DATABASE_IDLE_TIMEOUT_MS",
        Kind::Duration("ms", 1_000, WEEK_MS),
        "30000",
        "Idle connections close after this.",
    )
    .or(&[alias("PGIDLE_TIMEOUT")]),
    setting(
        "DATABASE_CONNECT_TIMEOUT_MS",
        Kind::Duration("ms", 50, 600_000),
        "2000",
        "Longest wait for a connection.",
    )
    .or(&[alias("PGCONNECTION_TIMEOUT")]),
    setting(
        "DATABASE_STATEMENT_TIMEOUT_MS",
        Kind::Duration("ms", 50, 3_600_000),
        "30000",
        "Longest run of a statement on PostgreSQL.",
    )
    .or(&[alias("PGSTATEMENT_TIMEOUT"), alias("DATABASE_QUERY_TIMEOUT_MS"), alias("PGQUERY_TIMEOUT")]),
    setting(
        "DATABASE_MAX_LIFETIME_MS",
        Kind::Duration("ms", 1_000, WEEK_MS),
        "1800000",
        "Connections are renewed after this.",
    )
    .or(&[alias("PGMAX_LIFETIME")]),
    setting("JWT_SECRET", Kind::Text, "", "Signs access tokens, 32 characters or more; made at first run.")
        .or(&[alias("JWT_SECRET_KEY")])
        .secret(),
    setting(
        "JWT_SECRET_PREVIOUS",
        Kind::Text,
        "",
        "Still verifies access tokens while JWT_SECRET is being rotated.",
    )
    .secret(),
    setting("JWT_ALGORITHM", Kind::Text, "HS256", "Only HS256."),
    setting("JWT_ISSUER", Kind::Text, "hearth", "The iss claim that is written and demanded."),
    setting("JWT_EXPIRES_IN", Kind::Duration("s", 60_000, WEEK_MS), "24h", "Life of an access token.")
        .or(&[alias_in("JWT_EXPIRATION_HOURS", "h")]),
    setting(
        "JWT_REFRESH_EXPIRES_IN",
        Kind::Duration("s", 60_000, 366 * 86_400_000),
        "7d",
        "Life of a refresh token, and of a browser session after its last use.",
    ),
    setting(
        "REQUIRE_AUTHENTICATION",
        Kind::Flag,
        "true",
        "false makes everybody owner; development on loopback only.",
    ),
    setting(
        "REGISTRATION",
        Kind::Choice(&["closed", "invite", "open"]),
        "",
        "Who may make an account; invite, in development open.",
    ),
    setting(
        "OPERATOR_TENANT",
        Kind::Text,
        "",
        "Tenant whose administrators look after the whole server: jobs, backups, settings. The first tenant when absent.",
    ),
    setting(
        "API_KEY_SECRET",
        Kind::Text,
        "",
        "Key of all stored hashes of keys and tokens; made at first run.",
    )
    .secret(),
    setting("ENCRYPTION_KEY", Kind::Text, "", "Seals secrets at rest, 32 bytes or more; made at first run.")
        .secret(),
    setting(
        "ENCRYPTION_KEY_PREVIOUS",
        Kind::Text,
        "",
        "Still opens sealed secrets until hearth secrets reseal has moved them to ENCRYPTION_KEY.",
    )
    .secret(),
    setting(
        "CORS_ORIGINS",
        Kind::List,
        "",
        "Exact origins of other sites' pages that may call; none when absent.",
    )
    .or(&[alias("ALLOWED_ORIGINS")])
    .live(),
    setting(
        "TRUSTED_PROXIES",
        Kind::List,
        "",
        "Addresses or networks whose forwarding headers are believed.",
    )
    .live(),
    setting(
        "MAX_CONNECTIONS",
        Kind::Number(1, 1_000_000),
        "10000",
        "Connections at once; 16 more are kept for health and metrics. The limit of open files must be above it.",
    ),
    setting(
        "MAX_CONNECTIONS_PER_ADDRESS",
        Kind::Number(1, 1_000_000),
        "256",
        "Connections of one address (IPv6: one /64) at once; trusted proxies are not counted.",
    ),
    setting(
        "TLS_CERT_FILE",
        Kind::Text,
        "",
        "Certificate chain in PEM; with TLS_KEY_FILE the server speaks TLS and nothing else. Read again when it changes.",
    ),
    setting("TLS_KEY_FILE", Kind::Text, "", "Private key of the certificate, in PEM."),
    setting(
        "DRAIN_GRACE",
        Kind::Duration("s", 0, 600_000),
        "0",
        "How long new connections are still taken when stopping; 5s behind a balancer. 0 with socket activation.",
    ),
    setting(
        "DRAIN_LIMIT",
        Kind::Duration("s", 0, 600_000),
        "10s",
        "Longest wait for requests in flight when stopping, after DRAIN_GRACE; then they are cut off.",
    ),
    setting("RATE_LIMIT_ENABLED", Kind::Flag, "true", "Whether callers are limited.").live(),
    setting(
        "RATE_LIMIT_MAX_REQUESTS",
        Kind::Number(1, 1_000_000),
        "100",
        "Requests of a caller in a window.",
    )
    .live(),
    setting("RATE_LIMIT_WINDOW_MS", Kind::Duration("ms", 1_000, 86_400_000), "60000", "The window.").live(),
    setting(
        "RATE_LIMIT_TENANT_MAX_REQUESTS",
        Kind::Number(0, 100_000_000),
        "0",
        "Requests in a window of all callers of a tenant together; 0 leaves tenants unlimited.",
    )
    .live(),
    setting(
        "RATE_LIMIT_EVENTS_PER_MINUTE",
        Kind::Number(1, 10_000_000),
        "6000",
        "Requests of a caller that record events; a class of its own.",
    )
    .live(),
    setting(
        "SHED_ENABLED",
        Kind::Flag,
        "true",
        "Whether requests beyond what the server can do are told at once to come back.",
    ),
    setting(
        "REDIS_URL",
        Kind::Text,
        "",
        "redis:// or rediss://; limits hold over all servers that share it.",
    )
    .secret(),
    setting("REDIS_ENABLED", Kind::Flag, "", "false leaves REDIS_URL unused; true when that is set."),
    setting(
        "ENABLE_CACHE",
        Kind::Flag,
        "true",
        "false keeps no answer of the database or a model for the next who asks: slower, never different.",
    ),
    setting(
        "EMBEDDING_BASE_URL",
        Kind::Text,
        "local",
        "local, none, or the address of an OpenAI-compatible server such as http://localhost:1234/v1.",
    )
    .or(&[alias("EMBEDDING_MODEL_ENDPOINT"), alias("EMBEDDING_API_URL")]),
    setting(
        "EMBEDDING_MODEL",
        Kind::Text,
        "all-MiniLM-L6-v2",
        "Name of the model; with local a directory, or a name below DATA_DIR/models. Absent: recall goes by words.",
    ),
    setting("EMBEDDING_DIMENSION", Kind::Number(1, 65_536), "384", "Components of a vector."),
    setting("OPENAI_API_KEY", Kind::Text, "", "Credential for the servers of embeddings and of the chat model.").secret(),
    setting(
        "MEMORY_DERIVE",
        Kind::Choice(&["none", "rules", "all"]),
        "all",
        "What derives facts, plans and decisions from events: nothing, rules, or rules and the model of LLM_BASE_URL.",
    ),
    setting(
        "MEMORY_MODEL_TOKENS_PER_DAY",
        Kind::Number(0, 1_000_000_000_000),
        "200000",
        "Tokens that deriving by a model may cost a tenant in a day (UTC); what is left waits for the next.",
    ),
    setting(
        "LLM_BASE_URL",
        Kind::Text,
        "",
        "Address of an OpenAI-compatible chat model such as http://localhost:1234/v1; no model when absent.",
    )
    .or(&[alias("LM_STUDIO_BASE_URL"), alias("VLLM_API_URL")]),
    setting("LLM_MODEL", Kind::Text, "", "Name of the chat model there.")
        .or(&[alias("LM_STUDIO_MODEL_NAME"), alias("VLLM_MODEL_NAME")]),
    setting("LLM_TEMPERATURE", Kind::Text, "0.7", "How freely the model chooses its words, 0 to 2.")
        .or(&[alias("LM_STUDIO_TEMPERATURE")]),
    setting("LLM_MAX_TOKENS", Kind::Number(1, 1_000_000), "2000", "Tokens that the model writes at most.")
        .or(&[alias("LM_STUDIO_MAX_TOKENS")]),
    setting("MEMORY_INDEX_BYTES", Kind::Number(1_048_576, i64::MAX), "536870912", "RAM for recall indexes."),
    setting(
        "S3_ENDPOINT",
        Kind::Text,
        "",
        "S3-compatible store for objects; objects lie in DATA_DIR when absent.",
    )
    .or(&[alias("MINIO_ENDPOINT")]),
    setting("S3_ACCESS_KEY", Kind::Text, "", "Access key.").or(&[alias("MINIO_ACCESS_KEY")]).secret(),
    setting("S3_SECRET_KEY", Kind::Text, "", "Secret key.").or(&[alias("MINIO_SECRET_KEY")]).secret(),
    setting("S3_BUCKET", Kind::Text, "documents", "Bucket; must exist.").or(&[alias("MINIO_BUCKET")]),
    setting("S3_SECURE", Kind::Flag, "", "TLS for an endpoint given without scheme.")
        .or(&[alias("MINIO_SECURE")]),
    setting("BACKUP_DIR", Kind::Text, "", "Folder of backups; DATA_DIR/backups when absent."),
    setting(
        "BACKUP_PUBLIC_KEY",
        Kind::Text,
        "",
        "Backups on S3 are sealed to this key; hearth backup new-key makes a pair.",
    ),
    setting(
        "BACKUP_TO_S3",
        Kind::Flag,
        "false",
        "The scheduled backup goes to the bucket, too, and old ones there are pruned; erasures are listed there at once.",
    ),
    setting(
        "BACKUP_KEEP",
        Kind::List,
        "7,4,12",
        "How many days, weeks and months keep their newest good backup.",
    ),
    setting(
        "BACKUP_RETENTION_DAYS",
        Kind::Number(1, 36_500),
        "",
        "Keeps all backups of so many days instead of BACKUP_KEEP.",
    ),
    setting(
        "BACKUP_SCHEDULE",
        Kind::Text,
        "0 2 * * *",
        "When a backup is made, proven and the old ones pruned: minute, hour, day, month, weekday in UTC; none never does.",
    ),
    setting(
        "LOG_LEVEL",
        Kind::Choice(&["trace", "debug", "info", "warn", "warning", "error"]),
        "info",
        "Least level logged.",
    )
    .live(),
    setting("LOG_FORMAT", Kind::Choice(&["text", "json"]), "", "text, in production json."),
    setting("ENABLE_METRICS", Kind::Flag, "true", "Whether the metrics routes exist."),
    setting(
        "METRICS_ALLOW",
        Kind::List,
        "127.0.0.0/8,::1/128",
        "Addresses that may read metrics without a credential.",
    ),
    setting("METRICS_TOKEN", Kind::Text, "", "Bearer token or basic password that may read metrics.")
        .secret(),
    setting(
        "SLOW_REQUEST_THRESHOLD_MS",
        Kind::Duration("ms", 1, 3_600_000),
        "3000",
        "Slower requests are logged.",
    ),
    setting("ALLOW_X_USER_ID_AUTH", Kind::Flag, "false", "Refused in production: a header is no proof."),
    setting("MIGRATIONS_RESET", Kind::Flag, "false", "Always refused: nothing drops the schema at start-up."),
];
