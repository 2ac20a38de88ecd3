-- Each event once: the row that came first, where a client sent the same event_id again.
SELECT *
FROM events
ORDER BY event_id, inserted_at, topic, partition, offset
LIMIT 1 BY event_id
