-- retention
ALTER TABLE events MODIFY TTL toDateTime(timestamp) + INTERVAL 129600 SECOND DELETE WHERE class = 'marketing', toDateTime(timestamp) + INTERVAL 180 DAY DELETE WHERE class = 'billing', toDateTime(timestamp) + INTERVAL 180 DAY DELETE WHERE class = 'product';

CREATE OR REPLACE VIEW `events_unique` AS
SELECT *
FROM events
ORDER BY event_id, inserted_at, topic, partition, offset
LIMIT 1 BY event_id
COMMENT 'Each event once: the row that came first, where a client sent the same event_id again.';

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
) AS
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
