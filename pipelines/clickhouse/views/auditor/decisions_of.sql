-- The decisions about one event or one subject, oldest first: decisions_of(about = 'evt_...') or decisions_of(about = 'sk1...'). Reads
-- those alone.
SELECT decided_at, event_id, event_name, timestamp, destination, verdict, reason, rule, policy, consent_version, stage, decision_id
FROM
(
    SELECT * FROM audit_decision_rows
    WHERE event_id = {about:String} OR subject_key = {about:String}
    ORDER BY decision_id, decided_at, topic, partition, offset
    LIMIT 1 BY decision_id
)
ORDER BY decided_at, event_id, destination
