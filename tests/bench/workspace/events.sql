-- The 23 columns that both pipelines fill.
CREATE TABLE events
(
    event_id      String,
    event_name    LowCardinality(String),
    timestamp     DateTime64(3, 'UTC'),
    received_at   DateTime64(3, 'UTC'),
    account_id    UUID,
    source        LowCardinality(String),
    session_id    UUID,
    plan          LowCardinality(String),
    country       LowCardinality(String),
    trial         Bool,
    paid          Bool,
    seats         UInt16,
    duration_ms   UInt32,
    amount        Float64,
    email         String,
    properties    String,
    topic         LowCardinality(String),
    partition     Int32,
    offset        Int64,
    src_topic     LowCardinality(String),
    src_partition Int32,
    src_offset    Int64,
    replay_epoch  UInt32
)
ENGINE = MergeTree
ORDER BY (partition, offset)
SETTINGS non_replicated_deduplication_window = 10000
