-- By day and event: what came in, what consent or policy denied, what was quarantined. Every 15 minutes.
REFRESH EVERY 15 MINUTE
ENGINE = MergeTree ORDER BY (event_name, day)
AS SELECT
    day,
    event_name,
    countIf(outcome = 'delivered') AS delivered,
    countIf(outcome = 'denied' AND startsWith(reason, 'consent.')) AS without_consent,
    countIf(outcome = 'denied') - without_consent AS denied_otherwise,
    countIf(outcome = 'quarantined') AS quarantined
FROM
(
    SELECT toDate(timestamp) AS day, event_name, 'delivered' AS outcome, '' AS reason FROM events_unique
    UNION ALL
    SELECT toDate(timestamp) AS day, event_name, outcome, reason FROM events_missing
)
GROUP BY day, event_name
