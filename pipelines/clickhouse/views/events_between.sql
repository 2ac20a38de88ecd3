-- Each event of a time range once: events_between(since = '2026-11-01', until = '2026-11-08'). Reads that range alone.
SELECT *
FROM events
WHERE timestamp >= {since:DateTime64(3, 'UTC')} AND timestamp < {until:DateTime64(3, 'UTC')}
ORDER BY event_id, inserted_at, topic, partition, offset
LIMIT 1 BY event_id
