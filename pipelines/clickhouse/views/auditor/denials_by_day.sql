-- How many decisions denied an event to a destination, by the day they were made, with the rule and the version of the policy.
SELECT
    toDate(decided_at) AS day, destination, stage, reason, rule, policy, event_name,
    count() AS denials, uniqExact(event_id) AS events, uniqExact(subject_key) AS subjects
FROM decisions
WHERE verdict = 'denied'
GROUP BY day, destination, stage, reason, rule, policy, event_name
