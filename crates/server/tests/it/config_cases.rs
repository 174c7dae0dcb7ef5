//! Configurations that must be refused.

/// Stands for the sound settings of production: secrets that are given, long and different.
pub(crate) const SOUND: &[(&str, &str)] = &[
    ("ENVIRONMENT", "production"),
    ("JWT_SECRET", JWT),
    ("API_KEY_SECRET", PEPPER),
    ("ENCRYPTION_KEY", SEAL),
];
pub(crate) const JWT: &str = "dGhlIG90dGVyIHN3aW1zIHVwc3RyZWFtIGF0IGRhd24";
pub(crate) const PEPPER: &str = "cGVwcGVyIGdyb3dzIHdoZXJlIHRoZSByaXZlciBiZW5k";
pub(crate) const SEAL: &str = "5b1f0c7e9a3d48f26e70b9c4d2a8135f";

/// Settings, the variable that the refusal names, and words of its reason and cure.
pub(crate) type Case = (&'static [(&'static str, &'static str)], &'static str, &'static [&'static str]);

/// Refused everywhere.
pub(crate) const ALWAYS: &[Case] = &[
    // Published and placeholder values.
    (
        &[("JWT_SECRET", "your-secret-key-change-in-production")],
        "JWT_SECRET",
        &["is using default value!", "openssl rand -base64 32"],
    ),
    (
        &[("JWT_SECRET_KEY", "changeme")],
        "JWT_SECRET_KEY",
        &["JWT_SECRET_KEY is using default value!", "openssl rand"],
    ),
    (&[("HEARTH_JWT_SECRET", "secret")], "HEARTH_JWT_SECRET", &["is using default value!", "openssl rand"]),
    (
        &[("JWT_SECRET", "<your-secret-of-at-least-32-characters>")],
        "JWT_SECRET",
        &["default value", "openssl rand"],
    ),
    (&[("JWT_SECRET", "your-jwt-secret-here")], "JWT_SECRET", &["default value", "openssl rand"]),
    (
        &[("JWT_SECRET", "please-ChangeMe-before-you-go-live-please")],
        "JWT_SECRET",
        &["default value", "openssl rand"],
    ),
    (
        &[("JWT_SECRET", "${JWT_SECRET_FROM_THE_VAULT_OF_THE_TEAM}")],
        "JWT_SECRET",
        &["unexpanded", "set the value itself"],
    ),
    (&[("API_KEY_SECRET", "supersecret")], "API_KEY_SECRET", &["published example", "openssl rand"]),
    (
        &[("ENCRYPTION_KEY", "your_encryption_key_here")],
        "ENCRYPTION_KEY",
        &["published example", "openssl rand"],
    ),
    (&[("METRICS_TOKEN", "admin")], "METRICS_TOKEN", &["published example", "openssl rand"]),
    (&[("JWT_SECRET_PREVIOUS", "dev-secret")], "JWT_SECRET_PREVIOUS", &["published example"]),
    (&[("OPENAI_API_KEY", "your-api-key-here")], "OPENAI_API_KEY", &["published example"]),
    (&[("S3_SECRET_KEY", "minioadmin")], "S3_SECRET_KEY", &["published example"]),
    (&[("MINIO_ACCESS_KEY", "minioadmin")], "MINIO_ACCESS_KEY", &["published example"]),
    (&[("DATABASE_URL", "postgres://user:pass@localhost/hearth")], "DATABASE_URL", &["published example"]),
    (
        &[("DATABASE_URL", "postgres://hearth:${DB_PASSWORD}@localhost/hearth")],
        "DATABASE_URL",
        &["unexpanded", "set the value itself"],
    ),
    (&[("JWT_SECRET", "Your-Super-Secret-JWT-Key-Change-In-Production")], "JWT_SECRET", &["default value"]),
    (&[("JWT_SECRET", "your-256-bit-secret")], "JWT_SECRET", &["default value", "openssl rand"]),
    (&[("JWT_SECRET", "0123456789abcdef0123456789abcdef")], "JWT_SECRET", &["default value"]),
    (&[("JWT_SECRET", "replace_me_with_32_characters_of_chance")], "JWT_SECRET", &["default value"]),
    (&[("ENCRYPTION_KEY", "CHANGE_ME_CHANGE_ME_CHANGE_ME_32")], "ENCRYPTION_KEY", &["published example"]),
    (&[("API_KEY_SECRET", "keyboard cat")], "API_KEY_SECRET", &["published example"]),
    (&[("METRICS_TOKEN", "placeholder-for-the-metrics-token")], "METRICS_TOKEN", &["published example"]),
    (&[("OPENAI_API_KEY", "sk-your-api-key")], "OPENAI_API_KEY", &["published example"]),
    (&[("JWT_SECRET", "$JWT_SECRET_OF_PRODUCTION")], "JWT_SECRET", &["unexpanded", "set the value itself"]),
    (&[("ENCRYPTION_KEY", "$(openssl rand -base64 32)")], "ENCRYPTION_KEY", &["unexpanded"]),
    (&[("API_KEY_SECRET", "{{ .Values.apiKeySecret }}")], "API_KEY_SECRET", &["unexpanded"]),
    (
        &[("DATABASE_URL", "postgres://hearth:change%2Dme@localhost/hearth")],
        "DATABASE_URL",
        &["placeholder for a password"],
    ),
    (
        &[("POSTGRES_URL", "postgresql://hearth:<password>@localhost/hearth")],
        "POSTGRES_URL",
        &["placeholder for a password"],
    ),
    (
        &[("PGHOST", "localhost"), ("PGPASSWORD", "your-password-here")],
        "PGHOST",
        &["placeholder for a password"],
    ),
    // Addresses of other services.
    (&[("EMBEDDING_BASE_URL", "lcoal")], "EMBEDDING_BASE_URL", &["no address", "none, local"]),
    (&[("EMBEDDING_API_URL", "localhost:11434/v1")], "EMBEDDING_API_URL", &["no address"]),
    (&[("EMBEDDING_BASE_URL", "http:///v1")], "EMBEDDING_BASE_URL", &["no address"]),
    (
        &[
            ("S3_ENDPOINT", "s3://bucket"),
            ("S3_ACCESS_KEY", "b2JqZWN0cyBsaWUgaW4gYSBidWNrZXQ"),
            ("S3_SECRET_KEY", "b2JqZWN0cyBsaWUgaW4gYSBidWNrZXQgb2Ygc3RvbmU"),
        ],
        "S3_ENDPOINT",
        &["no address", "minio:9000"],
    ),
    (
        &[("DATABASE_POOL_MIN", "9"), ("DATABASE_POOL_MAX", "4")],
        "DATABASE_POOL_MIN",
        &["more than DATABASE_POOL_MAX (4)", "lower it"],
    ),
    // Names that disagree.
    (&[("PORT", "4001"), ("API_PORT", "4002")], "PORT", &["API_PORT", "differ", "remove one"]),
    (&[("SERVER_PORT", "4001"), ("APP_PORT", "4002")], "SERVER_PORT", &["APP_PORT", "differ"]),
    (&[("PORT", "4001"), ("HEARTH_PORT", "4002")], "PORT", &["HEARTH_PORT", "differ"]),
    (&[("HOST", "127.0.0.1"), ("API_HOST", "0.0.0.0")], "HOST", &["API_HOST", "differ"]),
    (&[("ENVIRONMENT", "test"), ("NODE_ENV", "production")], "ENVIRONMENT", &["NODE_ENV", "differ"]),
    (
        &[("JWT_EXPIRES_IN", "12h"), ("JWT_EXPIRATION_HOURS", "24")],
        "JWT_EXPIRES_IN",
        &["JWT_EXPIRATION_HOURS", "differ"],
    ),
    (&[("JWT_SECRET", JWT), ("JWT_SECRET_KEY", PEPPER)], "JWT_SECRET", &["JWT_SECRET_KEY", "differ"]),
    (&[("DATA_DIR", "/a"), ("DATA_PATH", "/b")], "DATA_DIR", &["DATA_PATH", "differ"]),
    (
        &[("DATABASE_URL", "postgres://a@db/x"), ("POSTGRES_URL", "postgres://a@db/y")],
        "DATABASE_URL",
        &["POSTGRES_URL", "differ"],
    ),
    (
        &[("CORS_ORIGINS", "https://a.example"), ("ALLOWED_ORIGINS", "https://b.example")],
        "CORS_ORIGINS",
        &["ALLOWED_ORIGINS", "differ"],
    ),
    (&[("DATABASE_POOL_MAX", "7"), ("PGPOOL_MAX", "8")], "DATABASE_POOL_MAX", &["PGPOOL_MAX", "differ"]),
    (
        &[("DATABASE_POOL_MAX", "7"), ("POSTGRES_POOL_SIZE", "5"), ("POSTGRES_MAX_OVERFLOW", "3")],
        "POSTGRES_POOL_SIZE",
        &["DATABASE_POOL_MAX", "differ"],
    ),
    (
        &[("S3_ENDPOINT", "a:9000"), ("MINIO_ENDPOINT", "b:9000")],
        "S3_ENDPOINT",
        &["MINIO_ENDPOINT", "differ"],
    ),
    // Spelling.
    (&[("HEARTH_PROT", "8080")], "HEARTH_PROT", &["is no setting", "did you mean HEARTH_PORT?"]),
    (&[("HEARTH_JWT_SECRT", JWT)], "HEARTH_JWT_SECRT", &["did you mean HEARTH_JWT_SECRET?"]),
    (&[("HEARTH_DATABSE_URL", "sqlite:x")], "HEARTH_DATABSE_URL", &["did you mean HEARTH_DATABASE_URL?"]),
    (&[("HEARTH_PORT_FILE", "/x")], "HEARTH_PORT_FILE", &["is no setting"]),
    (&[("HEARTH_", "x")], "HEARTH_", &["is no setting"]),
    // Kinds and ranges.
    (&[("PORT", "99999")], "PORT", &["0 to 65535"]),
    (&[("PORT", "-1")], "PORT", &["0 to 65535"]),
    (&[("APP_PORT", "eighty")], "APP_PORT", &["whole number"]),
    (&[("PORT", " 8080")], "PORT", &["whole number"]),
    (&[("HOST", "not an address")], "HOST", &["no address to listen on", "127.0.0.1:8080"]),
    (&[("LISTEN", "127.0.0.1:8080,localhost")], "LISTEN", &["`localhost`", "no address"]),
    (&[("RUN_MODE", "everything")], "RUN_MODE", &["api, web, worker, both"]),
    (&[("ENVIRONMENT", "prod")], "ENVIRONMENT", &["development, production, staging, test"]),
    (&[("REGISTRATION", "maybe")], "REGISTRATION", &["closed, invite, open"]),
    (&[("LOG_LEVEL", "loud")], "LOG_LEVEL", &["trace, debug, info"]),
    (&[("LOG_FORMAT", "xml")], "LOG_FORMAT", &["text, json"]),
    (&[("REQUIRE_AUTHENTICATION", "maybe")], "REQUIRE_AUTHENTICATION", &["neither true nor false"]),
    (&[("ENABLE_METRICS", "2")], "ENABLE_METRICS", &["neither true nor false"]),
    (&[("RATE_LIMIT_ENABLED", "enabled")], "RATE_LIMIT_ENABLED", &["neither true nor false"]),
    (&[("RATE_LIMIT_MAX_REQUESTS", "0")], "RATE_LIMIT_MAX_REQUESTS", &["1 to 1000000"]),
    (&[("RATE_LIMIT_MAX_REQUESTS", "-1")], "RATE_LIMIT_MAX_REQUESTS", &["1 to 1000000"]),
    (&[("RATE_LIMIT_WINDOW_MS", "10")], "RATE_LIMIT_WINDOW_MS", &["1000", "ms"]),
    (&[("RATE_LIMIT_WINDOW_MS", "soon")], "RATE_LIMIT_WINDOW_MS", &["write it like 90s"]),
    (&[("RATE_LIMIT_EVENTS_PER_MINUTE", "many")], "RATE_LIMIT_EVENTS_PER_MINUTE", &["whole number"]),
    (&[("REDIS_URL", "localhost:6379")], "REDIS_URL", &["redis://host:6379"]),
    (
        &[("BACKUP_PUBLIC_KEY", "hearth-public-1234")],
        "BACKUP_PUBLIC_KEY",
        &["no public key", "hearth backup new-key"],
    ),
    (&[("BACKUP_TO_S3", "true")], "BACKUP_TO_S3", &["needs a bucket", "S3_ENDPOINT"]),
    (&[("REDIS_ENABLED", "true")], "REDIS_ENABLED", &["REDIS_URL is not set"]),
    (
        &[("DATABASE_URL_REPLICA", "postgres://hearth@localhost:5433/hearth")],
        "DATABASE_URL_REPLICA",
        &["is no PostgreSQL", "name its primary"],
    ),
    (
        &[("DATABASE_URL", "postgres://hearth@localhost/hearth"), ("DATABASE_URL_REPLICA", "sqlite:copy.db")],
        "DATABASE_URL_REPLICA",
        &["no address of a database"],
    ),
    (&[("JWT_EXPIRES_IN", "1s")], "JWT_EXPIRES_IN", &["60000", "ms"]),
    (&[("JWT_EXPIRATION_HOURS", "10000")], "JWT_EXPIRATION_HOURS", &["ms"]),
    (&[("JWT_EXPIRES_IN", "24 fortnights")], "JWT_EXPIRES_IN", &["write it like"]),
    (&[("JWT_EXPIRES_IN", "99999999999999999d")], "JWT_EXPIRES_IN", &["write it like"]),
    (&[("JWT_ALGORITHM", "RS256")], "JWT_ALGORITHM", &["not HS256", "set HS256"]),
    (&[("JWT_ALGORITHM", "none")], "JWT_ALGORITHM", &["not HS256"]),
    (&[("DATABASE_POOL_MAX", "0")], "DATABASE_POOL_MAX", &["1 to 1000"]),
    (&[("PGPOOL_MAX", "5000")], "PGPOOL_MAX", &["1 to 1000"]),
    (&[("POSTGRES_POOL_SIZE", "five")], "POSTGRES_POOL_SIZE", &["whole number"]),
    (&[("DATABASE_CONNECT_TIMEOUT_MS", "0")], "DATABASE_CONNECT_TIMEOUT_MS", &["50"]),
    (
        &[("TLS_CERT_FILE", "/etc/hearth/cert.pem")],
        "TLS_KEY_FILE",
        &["not set although TLS_CERT_FILE is", "remove"],
    ),
    (
        &[("TLS_KEY_FILE", "/etc/hearth/key.pem")],
        "TLS_CERT_FILE",
        &["not set although TLS_KEY_FILE is", "remove"],
    ),
    (&[("DRAIN_GRACE", "a while")], "DRAIN_GRACE", &["write it like 90s"]),
    (&[("MAX_CONNECTIONS_PER_ADDRESS", "0")], "MAX_CONNECTIONS_PER_ADDRESS", &["1 to 1000000"]),
    (&[("MAX_CONNECTIONS", "0")], "MAX_CONNECTIONS", &["1 to 1000000"]),
    (&[("EMBEDDING_DIMENSION", "0")], "EMBEDDING_DIMENSION", &["1 to 65536"]),
    (&[("MEMORY_INDEX_BYTES", "1")], "MEMORY_INDEX_BYTES", &["1048576"]),
    (&[("SLOW_REQUEST_THRESHOLD_MS", "0")], "SLOW_REQUEST_THRESHOLD_MS", &["1"]),
    (&[("METRICS_ALLOW", "everybody")], "METRICS_ALLOW", &["`everybody`", "10.0.0.0/8"]),
    (&[("TRUSTED_PROXIES", "10.0.0.0/33")], "TRUSTED_PROXIES", &["`10.0.0.0/33`", "10.0.0.0/8"]),
    (
        &[("DATABASE_URL", "mysql://root@localhost/hearth")],
        "DATABASE_URL",
        &["no address of a database", "postgres://"],
    ),
    (&[("POSTGRES_URL", "localhost")], "POSTGRES_URL", &["no address of a database"]),
    (
        &[("S3_ENDPOINT", "minio:9000"), ("S3_SECRET_KEY", "b2JqZWN0cyBsaWUgaW4gYSBidWNrZXQgb2Ygc3RvbmU")],
        "S3_ACCESS_KEY",
        &["not set although S3_ENDPOINT is"],
    ),
    (&[("MIGRATIONS_RESET", "true")], "MIGRATIONS_RESET", &["drop the schema", "hearth migrate"]),
    (&[("JWT_SECRET_FILE", "/no/such/file")], "JWT_SECRET_FILE", &["cannot read", "readable file"]),
    // Sign-in off beyond loopback.
    (
        &[("REQUIRE_AUTHENTICATION", "false"), ("HOST", "0.0.0.0")],
        "REQUIRE_AUTHENTICATION",
        &["everybody would be owner", "127.0.0.1"],
    ),
    (
        &[("REQUIRE_AUTHENTICATION", "no"), ("LISTEN", "127.0.0.1:1,192.0.2.1:2")],
        "REQUIRE_AUTHENTICATION",
        &["everybody would be owner"],
    ),
    (
        &[("ALLOW_X_USER_ID_AUTH", "true"), ("API_HOST", "::")],
        "ALLOW_X_USER_ID_AUTH",
        &["no proof", "API key"],
    ),
];

/// Warned of in development, refused in production.
pub(crate) const BY_ENVIRONMENT: &[Case] = &[
    (&[("JWT_SECRET", "k3#Vb9!x")], "JWT_SECRET", &["shorter than 32 characters", "openssl rand"]),
    (
        &[("API_KEY_SECRET", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")],
        "API_KEY_SECRET",
        &["fewer than 8 different", "openssl rand"],
    ),
    (&[("ENCRYPTION_KEY", "0123456789abcdef")], "ENCRYPTION_KEY", &["shorter than 32", "openssl rand"]),
    (&[("METRICS_TOKEN", "let-me-in-to-read")], "METRICS_TOKEN", &["shorter than 32", "openssl rand"]),
    (
        &[("API_KEY_SECRET", JWT), ("JWT_SECRET", JWT)],
        "API_KEY_SECRET",
        &["same value as JWT_SECRET", "its own"],
    ),
    (
        &[("JWT_SECRET", JWT), ("METRICS_TOKEN", JWT)],
        "METRICS_TOKEN",
        &["same value as JWT_SECRET", "its own"],
    ),
    (&[("CORS_ORIGINS", "*")], "CORS_ORIGINS", &["`*`", "name each origin"]),
    (&[("ALLOWED_ORIGINS", "null")], "ALLOWED_ORIGINS", &["`null`", "name each origin"]),
    (&[("CORS_ORIGINS", "https://app.example.com/path")], "CORS_ORIGINS", &["leave out everything after"]),
    (
        &[("CORS_ORIGINS", "https://a.example,app.example.com")],
        "CORS_ORIGINS",
        &["`app.example.com`", "write it like https://"],
    ),
    (&[("CORS_ORIGINS", "ftp://app.example.com")], "CORS_ORIGINS", &["no origin"]),
    (&[("TRUSTED_PROXIES", "0.0.0.0/0")], "TRUSTED_PROXIES", &["whole world", "name your proxies"]),
    (&[("TRUSTED_PROXIES", "10.0.0.1,::/0")], "TRUSTED_PROXIES", &["whole world"]),
    (&[("TRUSTED_PROXIES", "203.0.113.9/0")], "TRUSTED_PROXIES", &["whole world"]),
    (&[("TRUSTED_PROXIES", "0.0.0.0/1,128.0.0.0/1")], "TRUSTED_PROXIES", &["whole world"]),
    (&[("TRUSTED_PROXIES", "::ffff:0.0.0.0/96")], "TRUSTED_PROXIES", &["whole world"]),
    (
        &[("DATABASE_URL", "postgres://postgres:postgres@localhost/hearth")],
        "DATABASE_URL",
        &["guides publish"],
    ),
    (
        &[
            ("DATABASE_URL", "postgres://hearth:dGhlIG90dGVyIHN3aW1zIHVwc3RyZWFtIGF0IGRhd24@db/hearth"),
            ("JWT_SECRET", JWT),
            ("API_KEY_SECRET", PEPPER),
            ("ENCRYPTION_KEY", SEAL),
        ],
        "JWT_SECRET",
        &["same value as the password in DATABASE_URL", "its own"],
    ),
    (
        &[
            ("S3_ENDPOINT", "minio:9000"),
            ("S3_ACCESS_KEY", "b2JqZWN0cyBsaWUgaW4gYSBidWNrZXQgb2Ygc3RvbmU"),
            ("S3_SECRET_KEY", "b2JqZWN0cyBsaWUgaW4gYSBidWNrZXQgb2Ygc3RvbmU"),
        ],
        "S3_SECRET_KEY",
        &["same value as S3_ACCESS_KEY"],
    ),
    (&[("CORS_ORIGINS", "https://user@app.example.com")], "CORS_ORIGINS", &["leave out everything after"]),
    (
        &[("DATABASE_URL", "postgres://hearth:Aq9%23kfhsd82hLw@db.example.com/hearth")],
        "DATABASE_URL",
        &["without TLS", "sslmode=verify-full"],
    ),
    (
        &[("DATABASE_URL", "postgres://hearth@203.0.113.5:5432/hearth?sslmode=disable")],
        "DATABASE_URL",
        &["without TLS"],
    ),
    (
        &[("DATABASE_URL", "postgres://hearth@203.0.113.5:5432/hearth?sslmode=prefer")],
        "DATABASE_URL",
        &["without TLS"],
    ),
    (
        &[("DATABASE_URL", "postgres://hearth@db.example.com/hearth?application_name=sslmode=require")],
        "DATABASE_URL",
        &["without TLS"],
    ),
    (&[("PGHOST", "db.example.com"), ("PGSSLMODE", "allow")], "PGHOST", &["without TLS"]),
    (
        &[
            ("DATABASE_URL", "postgres://hearth@localhost/hearth"),
            ("DATABASE_URL_REPLICA", "postgres://hearth@localhost:5433/hearth"),
        ],
        "DATABASE_URL_REPLICA",
        &["needs REDIS_URL", "remove this"],
    ),
];
