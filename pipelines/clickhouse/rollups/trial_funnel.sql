-- By week of the sign-up: users who signed up, started a trial within 30 days, and subscribed within them. Every 15 minutes.
REFRESH EVERY 15 MINUTE
ENGINE = MergeTree ORDER BY week
AS SELECT
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
