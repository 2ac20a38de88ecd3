-- Events that did not come in, each once, and why. What came in after all is not here.
SELECT event_digest, event_name, timestamp, outcome, reason, stage, policy_version
FROM
(
    SELECT event_digest, event_name, timestamp, outcome, reason, stage, policy_version FROM outcomes
    UNION ALL
    SELECT lower(hex(substring(SHA256(denied_event), 1, 16))), denied_name, committed_at, 'denied', denied_reason, 'export', ''
    FROM ebbgate_chunks FINAL
    ARRAY JOIN denied_events AS denied_event, arrayResize(denied_names, length(denied_events)) AS denied_name, denied_reasons AS denied_reason
)
WHERE event_digest NOT IN (SELECT lower(hex(substring(SHA256(event_id), 1, 16))) FROM events)
ORDER BY event_digest, outcome DESC, event_name DESC, timestamp, reason
LIMIT 1 BY event_digest
