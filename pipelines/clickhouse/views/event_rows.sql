-- Lineage: every row with its record, policy and consent. An event that a client sent twice has two rows.
SELECT
    event_id, event_name, timestamp, received_at, inserted_at, source, class, policy_version, consent_source, consent_version,
    correlation_id, topic, partition, offset, src_topic, src_partition, src_offset, replay_epoch
FROM events
