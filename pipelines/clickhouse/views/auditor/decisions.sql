-- Each decision once, as it was first made. Denials are all here; of the allowances only the sample that govern records.
SELECT
    decision_id, decided_at, event_id, event_name, timestamp, subject_key, destination, verdict, reason, rule, policy, consent_version, stage,
    topic, partition, offset
FROM audit_decision_rows
ORDER BY decision_id, decided_at, topic, partition, offset
LIMIT 1 BY decision_id
