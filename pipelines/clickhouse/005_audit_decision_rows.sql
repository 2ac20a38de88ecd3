-- The audit: one row per decision, as privacy.decisions held it. Nothing of an event but its id, its name and when it happened; whom it
-- is about as a pseudonym. Read it by decision id; rows are never changed.
--
-- Rows go seven years after the decision. Another time: before the first apply change it here, afterwards add a file with
-- ALTER TABLE audit_decision_rows MODIFY TTL toDateTime(decided_at) + INTERVAL 10 YEAR.
CREATE TABLE IF NOT EXISTS audit_decision_rows
(
    decision_id     String                     COMMENT 'The same for the same decision however often it is made',
    event_id        String                     COMMENT 'The event it is about',
    event_name      LowCardinality(String)     COMMENT 'What happened; empty where the decision does not say',
    timestamp       Nullable(DateTime64(3, 'UTC')) COMMENT 'When the user acted, where the decision says so',
    subject_key     String                     COMMENT 'Pseudonym of the subject',
    destination     LowCardinality(String)     COMMENT 'Where the event was to go; * is storage',
    verdict         LowCardinality(String)     COMMENT 'allowed or denied',
    reason          LowCardinality(String)     COMMENT 'Why it is denied',
    rule            LowCardinality(String)     COMMENT 'File and line of the policy or the classes',
    policy          LowCardinality(String)     COMMENT 'Version of the policy that judged; its text is in privacy.policies',
    consent_version Int64                      COMMENT 'Version of the consent that was relied on',
    stage           LowCardinality(String)     COMMENT 'validate, govern or export',
    decided_at      DateTime64(3, 'UTC')       COMMENT 'Time of the record in privacy.decisions',
    topic           LowCardinality(String),
    partition       Int32,
    offset          Int64 CODEC(Delta, ZSTD(1)),
    src_topic       LowCardinality(String)     COMMENT 'Where the event entered the pipelines',
    src_partition   Int32,
    src_offset      Int64 CODEC(Delta, ZSTD(1)),
    replay_epoch    UInt32,
    inserted_at     DateTime64(3, 'UTC')       COMMENT 'When the sink sent it',

    INDEX by_offset      offset      TYPE minmax             GRANULARITY 1,
    INDEX by_src_offset  src_offset  TYPE minmax             GRANULARITY 1,
    INDEX by_decision_id decision_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_event_id    event_id    TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_subject_key subject_key TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(decided_at)
ORDER BY (destination, verdict, decided_at, decision_id)
TTL toDateTime(decided_at) + INTERVAL 7 YEAR
SETTINGS non_replicated_deduplication_window = 10000;
