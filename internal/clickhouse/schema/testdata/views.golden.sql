-- retention
ALTER TABLE events MODIFY TTL toDateTime(timestamp) + INTERVAL 129600 SECOND DELETE WHERE class = 'marketing', toDateTime(timestamp) + INTERVAL 180 DAY DELETE WHERE class = 'billing', toDateTime(timestamp) + INTERVAL 180 DAY DELETE WHERE class = 'product';

CREATE OR REPLACE VIEW `event_rows`
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    event_id, event_name, timestamp, received_at, inserted_at, source, class, policy_version, consent_source, consent_version,
    correlation_id, topic, partition, offset, src_topic, src_partition, src_offset, replay_epoch
FROM events
COMMENT 'Lineage: every row with its record, policy and consent. An event that a client sent twice has two rows.';

CREATE OR REPLACE VIEW `events_between`
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT *
FROM events
WHERE timestamp >= {since:DateTime64(3, 'UTC')} AND timestamp < {until:DateTime64(3, 'UTC')}
ORDER BY event_id, inserted_at, topic, partition, offset
LIMIT 1 BY event_id
COMMENT 'Each event of a time range once: events_between(since = \'2026-11-01\', until = \'2026-11-08\'). Reads that range alone.';

CREATE OR REPLACE VIEW `events_missing`
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
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
COMMENT 'Events that did not come in, each once, and why. What came in after all is not here.';

CREATE OR REPLACE VIEW `events_unique`
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT *
FROM events
ORDER BY event_id, inserted_at, topic, partition, offset
LIMIT 1 BY event_id
COMMENT 'Each event once: the row that came first, where a client sent the same event_id again.';

CREATE OR REPLACE VIEW `data_status`
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
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
COMMENT 'One row per event: until when it is complete, what came in, what did not, and since when which policy holds.';

CREATE OR REPLACE VIEW `sink_chunks`
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT destination, topic, partition, epoch, first, last, rows, delivered, denied_at_export, repeated, settled, denied_reasons, committed_at
FROM ebbgate_chunks FINAL
COMMENT 'What the sink did with each chunk of records, and why it held records back.';

CREATE OR REPLACE VIEW `decisions`
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    decision_id, decided_at, event_id, event_name, timestamp, subject_key, destination, verdict, reason, rule, policy, consent_version, stage,
    topic, partition, offset
FROM audit_decision_rows
ORDER BY decision_id, decided_at, topic, partition, offset
LIMIT 1 BY decision_id
COMMENT 'Each decision once, as it was first made. Denials are all here; of the allowances only the sample that govern records.';

CREATE OR REPLACE VIEW `decisions_of`
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT decided_at, event_id, event_name, timestamp, destination, verdict, reason, rule, policy, consent_version, stage, decision_id
FROM
(
    SELECT * FROM audit_decision_rows
    WHERE event_id = {about:String} OR subject_key = {about:String}
    ORDER BY decision_id, decided_at, topic, partition, offset
    LIMIT 1 BY decision_id
)
ORDER BY decided_at, event_id, destination
COMMENT 'The decisions about one event or one subject, oldest first: decisions_of(about = \'evt_...\') or decisions_of(about = \'sk1...\'). Reads those alone.';

CREATE OR REPLACE VIEW `denials_by_day`
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    toDate(decided_at) AS day, destination, stage, reason, rule, policy, event_name,
    count() AS denials, uniqExact(event_id) AS events, uniqExact(subject_key) AS subjects
FROM decisions
WHERE verdict = 'denied'
GROUP BY day, destination, stage, reason, rule, policy, event_name
COMMENT 'How many decisions denied an event to a destination, by the day they were made, with the rule and the version of the policy.';

CREATE OR REPLACE MATERIALIZED VIEW `action_to_queryable`
REFRESH EVERY 5 MINUTE
ENGINE = MergeTree ORDER BY (event_name, hour)
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    toStartOfHour(timestamp) AS hour,
    event_name,
    count() AS events,
    quantileExact(0.5)(dateDiff('millisecond', timestamp, inserted_at)) / 1000 AS p50_seconds,
    quantileExact(0.9)(dateDiff('millisecond', timestamp, inserted_at)) / 1000 AS p90_seconds,
    quantileExact(0.99)(dateDiff('millisecond', timestamp, inserted_at)) / 1000 AS p99_seconds
FROM events_unique
WHERE replay_epoch = 0
GROUP BY hour, event_name
COMMENT 'Seconds from the act to the row, by hour and event, of the live stream: median, 90th and 99th of a hundred. Every 5 minutes.';

CREATE OR REPLACE MATERIALIZED VIEW `consent_coverage`
REFRESH EVERY 15 MINUTE
ENGINE = MergeTree ORDER BY (event_name, day)
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
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
COMMENT 'By day and event: what came in, what consent or policy denied, what was quarantined. Every 15 minutes.';

CREATE OR REPLACE MATERIALIZED VIEW `events_per_minute`
REFRESH EVERY 5 MINUTE
ENGINE = MergeTree ORDER BY (event_name, minute)
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT toStartOfMinute(timestamp) AS minute, event_name, count() AS events
FROM events_unique
GROUP BY minute, event_name
COMMENT 'Events per minute by name, each event once. Computed anew every 5 minutes.';

CREATE OR REPLACE MATERIALIZED VIEW `trial_funnel`
REFRESH EVERY 15 MINUTE
ENGINE = MergeTree ORDER BY week
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    toMonday(signed_up_at) AS week,
    count() AS signed_up,
    countIf(steps >= 2) AS started_trial,
    countIf(steps >= 3) AS subscribed
FROM
(
    SELECT
        user_id,
        minIf(timestamp, event_name = 'signed_up') AS signed_up_at,
        windowFunnel(2592000)(toDateTime(timestamp),
            event_name = 'signed_up', event_name = 'trial_started', event_name = 'subscription_started') AS steps
    FROM events_unique
    WHERE user_id != '' AND event_name IN ('signed_up', 'trial_started', 'subscription_started')
    GROUP BY user_id
    HAVING steps >= 1
)
GROUP BY week
COMMENT 'By week of the sign-up: users who signed up, started a trial within 30 days, and subscribed within them. Every 15 minutes.';

CREATE OR REPLACE VIEW `order_placed`
(
    `event_id` String COMMENT 'Identity of the event',
    `timestamp` DateTime64(3, 'UTC') COMMENT 'When the user acted',
    `received_at` DateTime64(3, 'UTC') COMMENT 'When the event reached the door',
    `user_id` String COMMENT 'Token of the user, empty when unknown',
    `account_id` String COMMENT 'Token of the account, empty when unknown',
    `anonymous_id` String COMMENT 'Token of the visitor, empty when unknown',
    `source` LowCardinality(String) COMMENT 'What sent the event',
    `schema_version` LowCardinality(String) COMMENT 'Version of the contract it was sent under',
    `plan` Nullable(String) COMMENT 'Plan that was bought.',
    `seats` Nullable(Int64) COMMENT 'Seats that were bought.',
    `price` Nullable(Float64) COMMENT 'Price.',
    `trial` Nullable(Bool) COMMENT 'Whether a trial came first.',
    `began` Nullable(DateTime64(3, 'UTC')) COMMENT 'First moment. [{truncate_time: hour}]',
    `property_source` Nullable(String) COMMENT 'Shares a name with the envelope. [only with consent to marketing]',
    `size` Nullable(String) COMMENT 'Size of the company. [{bucket: [10, 50]}]',
    `address_city` Nullable(String) COMMENT 'City.',
    `address_zip` Nullable(Int64) COMMENT 'Code.',
    `tags` Array(String) COMMENT 'Tags.',
    `lines` Array(Tuple(`sku` Nullable(String), `n` Nullable(Int64))) COMMENT 'Lines of the order.',
    `extra` String COMMENT 'Anything.',
    `coupon` Nullable(String) COMMENT 'Coupon, gone in version 2. [scrub]'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER AS
SELECT
    `event_id` AS `event_id`,
    `timestamp` AS `timestamp`,
    `received_at` AS `received_at`,
    `user_id` AS `user_id`,
    `account_id` AS `account_id`,
    `anonymous_id` AS `anonymous_id`,
    `source` AS `source`,
    `schema_version` AS `schema_version`,
    JSONExtract(properties, 'plan', 'Nullable(String)') AS `plan`,
    JSONExtract(properties, 'seats', 'Nullable(Int64)') AS `seats`,
    JSONExtract(properties, 'price', 'Nullable(Float64)') AS `price`,
    JSONExtract(properties, 'trial', 'Nullable(Bool)') AS `trial`,
    parseDateTime64BestEffortOrNull(JSONExtractString(properties, 'began'), 3, 'UTC') AS `began`,
    JSONExtract(properties, 'source', 'Nullable(String)') AS `property_source`,
    JSONExtract(properties, 'size', 'Nullable(String)') AS `size`,
    JSONExtract(properties, 'address', 'city', 'Nullable(String)') AS `address_city`,
    JSONExtract(properties, 'address', 'zip', 'Nullable(Int64)') AS `address_zip`,
    JSONExtract(properties, 'tags', 'Array(String)') AS `tags`,
    JSONExtract(properties, 'lines', 'Array(Tuple(`sku` Nullable(String), `n` Nullable(Int64)))') AS `lines`,
    JSONExtractRaw(properties, 'extra') AS `extra`,
    JSONExtract(properties, 'coupon', 'Nullable(String)') AS `coupon`
FROM
(
    SELECT * FROM events WHERE event_name = 'order_placed'
    ORDER BY event_id, inserted_at, topic, partition, offset LIMIT 1 BY event_id
)
COMMENT 'An order was placed; it\'s final. (billing, version 2.0.0)';
