-- Why events are not in `events`: one row per denial and per quarantined event, without subject, properties or event id.
-- `ebbgate clickhouse outcomes` fills it from the decisions and the quarantine. Rows may repeat: read events_missing.
CREATE TABLE IF NOT EXISTS outcomes
(
    event_digest   String                 COMMENT 'First 16 bytes of the SHA-256 of the event id, in hex',
    event_name     LowCardinality(String) COMMENT 'Empty where the record does not say',
    timestamp      DateTime64(3, 'UTC')   COMMENT 'When the user acted; of a quarantined event, when it failed first',
    outcome        LowCardinality(String) COMMENT 'denied or quarantined',
    reason         LowCardinality(String) COMMENT 'Reason of the denial, code of the quarantine',
    stage          LowCardinality(String) COMMENT 'Where it was decided',
    policy_version LowCardinality(String) COMMENT 'Policy that denied'
)
ENGINE = ReplacingMergeTree
ORDER BY (event_name, outcome, event_digest, reason, stage, policy_version, timestamp)
TTL toDateTime(timestamp) + INTERVAL 400 DAY;
