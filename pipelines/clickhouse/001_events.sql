-- One row per event the policy allows this destination, exactly as the sealed record carried it.
--
-- Files named NNN_*.sql run once, in order, by `ebbgate clickhouse apply`; change the table with a new file (ALTER TABLE
-- events ADD COLUMN ...), never by editing one that has run. PARTITION BY and ORDER BY use only values that are equal on
-- every retry. Retention is not here: it follows from contracts/classes.yaml. To replicate the table, name
-- ReplicatedMergeTree and replicated_deduplication_window instead before the first apply.
CREATE TABLE IF NOT EXISTS events
(
    event_id        String                            COMMENT 'Identity of the event; repeats a client sent share it. Read events_unique to see each once',
    event_name      LowCardinality(String)            COMMENT 'What happened; one contract each',
    timestamp       DateTime64(3, 'UTC')              COMMENT 'When the user acted',
    received_at     DateTime64(3, 'UTC')              COMMENT 'When the event reached the door',
    user_id         String                            COMMENT 'Token of the user, empty when unknown; not comparable with other destinations',
    account_id      String                            COMMENT 'Token of the account, empty when unknown',
    anonymous_id    String                            COMMENT 'Token of the visitor, empty when unknown',
    ip              String                            COMMENT 'Network the event came from, as far as policy leaves it',
    source          LowCardinality(String)            COMMENT 'What sent the event',
    schema_version  LowCardinality(String)            COMMENT 'Version of the contract it was sent under',
    class           LowCardinality(String)            COMMENT 'Class of the contract; decides retention',
    properties      String                            COMMENT 'What policy let through of the properties, as JSON; the view of each event has them as columns' CODEC(ZSTD(3)),

    correlation_id  String                            COMMENT 'Ties together what one request caused',
    policy_version  LowCardinality(String)            COMMENT 'Policy that allowed the row',
    consent_source  LowCardinality(String)            COMMENT 'Who said that consent was given',
    consent_version LowCardinality(String)            COMMENT 'Consent record the decision relied on, empty for the claim in the event',
    topic           LowCardinality(String)            COMMENT 'Where the sink read the record',
    partition       Int32,
    offset          Int64 CODEC(Delta, ZSTD(1)),
    src_topic       LowCardinality(String)            COMMENT 'Where the event entered the pipelines',
    src_partition   Int32,
    src_offset      Int64 CODEC(Delta, ZSTD(1)),
    replay_epoch    UInt32                            COMMENT '0 for the live stream, else the replay that brought the row',
    inserted_at     DateTime64(3, 'UTC')              COMMENT 'When the sink sent it',

    INDEX by_offset     offset     TYPE minmax             GRANULARITY 1,
    INDEX by_src_offset src_offset TYPE minmax             GRANULARITY 1,
    INDEX by_event_id   event_id   TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = MergeTree
PARTITION BY (class, toYYYYMM(timestamp))
ORDER BY (event_name, timestamp, event_id)
SETTINGS non_replicated_deduplication_window = 10000;
