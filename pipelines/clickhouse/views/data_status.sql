-- One row per event: until when it is complete, what came in, what did not, and since when which policy holds.
WITH
    kept AS
    (
        SELECT event_name, count() AS delivered, max(timestamp) AS last_event
        FROM events_unique
        GROUP BY event_name
    ),
    policies AS
    (
        SELECT event_name, arraySort(change -> change.2, groupArray((policy_version, first_row))) AS policy_changes
        FROM (SELECT event_name, policy_version, min(inserted_at) AS first_row FROM events GROUP BY event_name, policy_version)
        GROUP BY event_name
    ),
    missing AS
    (
        SELECT event_name, countIf(outcome = 'denied') AS denied, countIf(outcome = 'quarantined') AS quarantined
        FROM events_missing
        GROUP BY event_name
    ),
    (SELECT min(reached) FROM (SELECT max(received_at) AS reached FROM events WHERE replay_epoch = 0 GROUP BY topic, partition)) AS complete_through
SELECT
    event_name,
    complete_through,
    max(kept.last_event) AS last_event,
    sum(kept.delivered) AS delivered,
    sum(missing.denied) AS denied,
    sum(missing.quarantined) AS quarantined,
    any(policies.policy_changes) AS policy_changes
FROM kept
FULL JOIN missing USING (event_name)
LEFT JOIN policies USING (event_name)
GROUP BY event_name
