-- The sink's own books: one row per chunk (offsets first..last of one partition) that is in completely. The highest
-- `last` is the high-water mark; rows = delivered + denied_at_export + repeated + settled. Read it with FINAL.
CREATE TABLE IF NOT EXISTS ebbgate_chunks
(
    destination      LowCardinality(String),
    topic            LowCardinality(String),
    partition        Int32,
    epoch            UInt32                 COMMENT '0 for the live stream, else the replay',
    first            Int64,
    last             Int64,
    token            String                 COMMENT 'Deduplication token of the chunk''s insert',
    rows             UInt32                 COMMENT 'Records in the chunk',
    delivered        UInt32                 COMMENT 'Rows in the table',
    denied_at_export UInt32                 COMMENT 'Held back because consent had gone since the record was authorized',
    repeated         UInt32                 COMMENT 'Copies of rows that were in the table already',
    settled          UInt32                 COMMENT 'Already in quarantine',
    denied_events    Array(String)          COMMENT 'event_id of each record held back',
    denied_reasons   Array(String)          COMMENT 'and why',
    sources          Array(String)          COMMENT 'Highest offset taken of every source partition so far: topic/partition@offset',
    committed_at     DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(committed_at)
ORDER BY (destination, topic, partition, epoch, first, last)
SETTINGS non_replicated_deduplication_window = 10000;
