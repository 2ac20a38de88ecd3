database marketing_stage: 68 changes, in one transaction

-- create role stage_owner
CREATE ROLE stage_owner NOLOGIN;

-- create role stage_writer
CREATE ROLE stage_writer LOGIN;

-- create role stitch_reader
CREATE ROLE stitch_reader LOGIN CONNECTION LIMIT 10;
ALTER ROLE stitch_reader SET default_transaction_read_only = on;
ALTER ROLE stitch_reader SET timezone = 'UTC';

-- create schema stage_internal
CREATE SCHEMA "stage_internal" AUTHORIZATION stage_owner;

-- create schema stitch_stage
CREATE SCHEMA "stitch_stage" AUTHORIZATION stage_owner;

-- create sequence stage_internal.row_seq
SET LOCAL ROLE stage_owner;
CREATE SEQUENCE stage_internal.row_seq AS bigint MINVALUE 1 CACHE 1 NO CYCLE;

-- create table stage_internal.write_gate
CREATE TABLE "stage_internal"."write_gate" ();
COMMENT ON TABLE "stage_internal"."write_gate" IS 'Whoever holds its lock may write. It has no rows.';

-- create table stage_internal.source_offsets
CREATE TABLE "stage_internal"."source_offsets" (
  "source_topic" text NOT NULL,
  "source_partition" integer NOT NULL,
  "replay_epoch" bigint NOT NULL,
  "next_offset" bigint NOT NULL,
  "delivered" bigint NOT NULL DEFAULT 0,
  "denied" bigint NOT NULL DEFAULT 0,
  "settled" bigint NOT NULL DEFAULT 0,
  "updated_at" timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY ("source_topic", "source_partition", "replay_epoch")
);
COMMENT ON TABLE "stage_internal"."source_offsets" IS 'How far each partition is in, and how its records ended.';

-- create table stage_internal.row_subjects
CREATE TABLE "stage_internal"."row_subjects" (
  "subject" text NOT NULL,
  "dataset" text NOT NULL,
  "row_id" text NOT NULL,
  PRIMARY KEY ("subject", "dataset", "row_id")
);
CREATE INDEX "row_subjects_rows" ON "stage_internal"."row_subjects" ("dataset", "row_id");
COMMENT ON TABLE "stage_internal"."row_subjects" IS 'Whom each row is about, by the pseudonym of the state topics.';

-- create table stage_internal.erased_subjects
CREATE TABLE "stage_internal"."erased_subjects" (
  "subject" text NOT NULL,
  "subject_key" text NOT NULL,
  "request_id" text NOT NULL,
  "erased_at" timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY ("subject")
);
CREATE INDEX "erased_subjects_key" ON "stage_internal"."erased_subjects" ("subject_key");
COMMENT ON TABLE "stage_internal"."erased_subjects" IS 'Who was erased: no row of theirs ever comes back.';

-- create table stitch_stage.customer_profiles
CREATE TABLE "stitch_stage"."customer_profiles" (
  "subject_key" text NOT NULL,
  "event_id" text NOT NULL,
  "entity_version" bigint NOT NULL,
  "event_name" text NOT NULL,
  "user_token" text,
  "account_token" text,
  "signup_method" text,
  "plan" text,
  "country" text,
  "trial_length_days" bigint,
  "policy_version" text NOT NULL,
  "consent_version" text,
  "relied_on" text NOT NULL,
  "data_class" text NOT NULL,
  "correlation_id" text,
  "batch_id" text NOT NULL,
  "source_topic" text NOT NULL,
  "source_partition" integer NOT NULL,
  "source_offset" bigint NOT NULL,
  "occurred_at" timestamp with time zone NOT NULL,
  "is_deleted" boolean NOT NULL DEFAULT false,
  "deleted_at" timestamp with time zone,
  "deletion_reason" text,
  "deletion_request_id" text,
  "staged_at" timestamp with time zone NOT NULL,
  "row_seq" bigint NOT NULL,
  PRIMARY KEY ("subject_key"),
  CONSTRAINT "key_ea51bf09" CHECK (octet_length("subject_key") BETWEEN 1 AND 200),
  CONSTRAINT "occurred_at_98351483" CHECK ("occurred_at" >= '1970-01-01Z' AND "occurred_at" < '9999-01-01Z'),
  CONSTRAINT "tombstone_e54d9fa7" CHECK (NOT is_deleted OR (num_nonnulls("user_token", "account_token", "signup_method", "plan", "country", "trial_length_days") = 0 AND deleted_at IS NOT NULL AND deletion_reason IS NOT NULL)),
  CONSTRAINT "length_user_token_023b0068" CHECK (octet_length("user_token") <= 60000),
  CONSTRAINT "length_account_token_2f63819b" CHECK (octet_length("account_token") <= 60000),
  CONSTRAINT "length_signup_method_92475d2e" CHECK (octet_length("signup_method") <= 60000),
  CONSTRAINT "length_plan_b0075ef4" CHECK (octet_length("plan") <= 60000),
  CONSTRAINT "length_country_d5de30e5" CHECK (octet_length("country") <= 60000)
);
CREATE UNIQUE INDEX "customer_profiles_row_seq" ON "stitch_stage"."customer_profiles" ("row_seq");
COMMENT ON TABLE "stitch_stage"."customer_profiles" IS 'What an account is, as its latest events say.';

-- create table stitch_stage.subscription_facts
CREATE TABLE "stitch_stage"."subscription_facts" (
  "fact_id" text NOT NULL,
  "subject_key" text,
  "event_id" text NOT NULL,
  "entity_version" bigint NOT NULL,
  "event_name" text NOT NULL,
  "account_token" text,
  "plan" text,
  "billing_interval" text,
  "seats" bigint,
  "amount_micros" bigint,
  "currency" text,
  "reason" text,
  "ends_at" timestamp with time zone,
  "policy_version" text NOT NULL,
  "consent_version" text,
  "relied_on" text NOT NULL,
  "data_class" text NOT NULL,
  "correlation_id" text,
  "batch_id" text NOT NULL,
  "source_topic" text NOT NULL,
  "source_partition" integer NOT NULL,
  "source_offset" bigint NOT NULL,
  "occurred_at" timestamp with time zone NOT NULL,
  "is_deleted" boolean NOT NULL DEFAULT false,
  "deleted_at" timestamp with time zone,
  "deletion_reason" text,
  "deletion_request_id" text,
  "staged_at" timestamp with time zone NOT NULL,
  "row_seq" bigint NOT NULL,
  PRIMARY KEY ("fact_id"),
  CONSTRAINT "key_c24db733" CHECK (octet_length("fact_id") BETWEEN 1 AND 200),
  CONSTRAINT "occurred_at_98351483" CHECK ("occurred_at" >= '1970-01-01Z' AND "occurred_at" < '9999-01-01Z'),
  CONSTRAINT "tombstone_6f4b4d37" CHECK (NOT is_deleted OR (num_nonnulls("subject_key", "account_token", "plan", "billing_interval", "seats", "amount_micros", "currency", "reason", "ends_at") = 0 AND deleted_at IS NOT NULL AND deletion_reason IS NOT NULL)),
  CONSTRAINT "length_account_token_2f63819b" CHECK (octet_length("account_token") <= 60000),
  CONSTRAINT "length_plan_b0075ef4" CHECK (octet_length("plan") <= 60000),
  CONSTRAINT "length_billing_interval_d4c2eb59" CHECK (octet_length("billing_interval") <= 60000),
  CONSTRAINT "length_currency_e74e288b" CHECK (octet_length("currency") <= 60000),
  CONSTRAINT "length_reason_e9679245" CHECK (octet_length("reason") <= 60000),
  CONSTRAINT "time_ends_at_d0c1d3ae" CHECK ("ends_at" >= '1970-01-01' AND "ends_at" < '9999-01-01')
);
CREATE UNIQUE INDEX "subscription_facts_row_seq" ON "stitch_stage"."subscription_facts" ("row_seq");
COMMENT ON TABLE "stitch_stage"."subscription_facts" IS 'The state of each subscription, as its latest event says.';

-- create table stitch_stage.marketing_events
CREATE TABLE "stitch_stage"."marketing_events" (
  "event_id" text NOT NULL,
  "subject_key" text,
  "event_name" text NOT NULL,
  "user_token" text,
  "campaign_id" text,
  "channel" text,
  "cost_micros" bigint,
  "currency" text,
  "utm_campaign" text,
  "form_id" text,
  "policy_version" text NOT NULL,
  "consent_version" text,
  "relied_on" text NOT NULL,
  "data_class" text NOT NULL,
  "correlation_id" text,
  "batch_id" text NOT NULL,
  "source_topic" text NOT NULL,
  "source_partition" integer NOT NULL,
  "source_offset" bigint NOT NULL,
  "occurred_at" timestamp with time zone NOT NULL,
  "is_deleted" boolean NOT NULL DEFAULT false,
  "deleted_at" timestamp with time zone,
  "deletion_reason" text,
  "deletion_request_id" text,
  "staged_at" timestamp with time zone NOT NULL,
  "row_seq" bigint NOT NULL,
  PRIMARY KEY ("event_id"),
  CONSTRAINT "key_4d99f9bc" CHECK (octet_length("event_id") BETWEEN 1 AND 200),
  CONSTRAINT "occurred_at_98351483" CHECK ("occurred_at" >= '1970-01-01Z' AND "occurred_at" < '9999-01-01Z'),
  CONSTRAINT "tombstone_919db62e" CHECK (NOT is_deleted OR (num_nonnulls("subject_key", "user_token", "campaign_id", "channel", "cost_micros", "currency", "utm_campaign", "form_id") = 0 AND deleted_at IS NOT NULL AND deletion_reason IS NOT NULL)),
  CONSTRAINT "length_user_token_023b0068" CHECK (octet_length("user_token") <= 60000),
  CONSTRAINT "length_campaign_id_fa1f4c1b" CHECK (octet_length("campaign_id") <= 60000),
  CONSTRAINT "length_channel_b1158719" CHECK (octet_length("channel") <= 60000),
  CONSTRAINT "length_currency_e74e288b" CHECK (octet_length("currency") <= 60000),
  CONSTRAINT "length_utm_campaign_f34fd5ff" CHECK (octet_length("utm_campaign") <= 60000),
  CONSTRAINT "length_form_id_a3b55f94" CHECK (octet_length("form_id") <= 60000)
);
CREATE UNIQUE INDEX "marketing_events_row_seq" ON "stitch_stage"."marketing_events" ("row_seq");
CREATE INDEX "campaign_performance_cells" ON "stitch_stage"."marketing_events" ("campaign_id", "channel", "currency", "occurred_at");
COMMENT ON TABLE "stitch_stage"."marketing_events" IS 'Meetings with campaigns, and forms that were sent.';

-- create table stitch_stage.billing_events
CREATE TABLE "stitch_stage"."billing_events" (
  "event_id" text NOT NULL,
  "subject_key" text,
  "event_name" text NOT NULL,
  "account_token" text,
  "invoice_token" text,
  "plan" text,
  "amount_micros" bigint,
  "currency" text,
  "payment_method" text,
  "paid_at" timestamp with time zone,
  "items_json" text,
  "policy_version" text NOT NULL,
  "consent_version" text,
  "relied_on" text NOT NULL,
  "data_class" text NOT NULL,
  "correlation_id" text,
  "batch_id" text NOT NULL,
  "source_topic" text NOT NULL,
  "source_partition" integer NOT NULL,
  "source_offset" bigint NOT NULL,
  "occurred_at" timestamp with time zone NOT NULL,
  "is_deleted" boolean NOT NULL DEFAULT false,
  "deleted_at" timestamp with time zone,
  "deletion_reason" text,
  "deletion_request_id" text,
  "staged_at" timestamp with time zone NOT NULL,
  "row_seq" bigint NOT NULL,
  PRIMARY KEY ("event_id"),
  CONSTRAINT "key_4d99f9bc" CHECK (octet_length("event_id") BETWEEN 1 AND 200),
  CONSTRAINT "occurred_at_98351483" CHECK ("occurred_at" >= '1970-01-01Z' AND "occurred_at" < '9999-01-01Z'),
  CONSTRAINT "tombstone_24701d53" CHECK (NOT is_deleted OR (num_nonnulls("subject_key", "account_token", "invoice_token", "plan", "amount_micros", "currency", "payment_method", "paid_at", "items_json") = 0 AND deleted_at IS NOT NULL AND deletion_reason IS NOT NULL)),
  CONSTRAINT "length_account_token_2f63819b" CHECK (octet_length("account_token") <= 60000),
  CONSTRAINT "length_invoice_token_48d709b8" CHECK (octet_length("invoice_token") <= 60000),
  CONSTRAINT "length_plan_b0075ef4" CHECK (octet_length("plan") <= 60000),
  CONSTRAINT "length_currency_e74e288b" CHECK (octet_length("currency") <= 60000),
  CONSTRAINT "length_payment_method_50487883" CHECK (octet_length("payment_method") <= 60000),
  CONSTRAINT "time_paid_at_0e757d84" CHECK ("paid_at" >= '1970-01-01' AND "paid_at" < '9999-01-01'),
  CONSTRAINT "length_items_json_9b9e0edf" CHECK (octet_length("items_json") <= 60000)
);
CREATE UNIQUE INDEX "billing_events_row_seq" ON "stitch_stage"."billing_events" ("row_seq");
COMMENT ON TABLE "stitch_stage"."billing_events" IS 'Invoices that were paid.';

-- create table stitch_stage.campaign_performance
CREATE TABLE "stitch_stage"."campaign_performance" (
  "cell_id" text NOT NULL,
  "metric_date" date NOT NULL,
  "campaign_id" text NOT NULL,
  "channel" text NOT NULL,
  "currency" text NOT NULL,
  "touches" bigint,
  "people" bigint,
  "spend_micros" bigint,
  "is_final" boolean NOT NULL DEFAULT false,
  "policy_version" text NOT NULL,
  "batch_id" text NOT NULL,
  "is_deleted" boolean NOT NULL DEFAULT false,
  "deleted_at" timestamp with time zone,
  "deletion_reason" text,
  "staged_at" timestamp with time zone NOT NULL,
  "row_seq" bigint NOT NULL,
  PRIMARY KEY ("cell_id"),
  CONSTRAINT "key_7fac6374" CHECK (octet_length("cell_id") BETWEEN 1 AND 200),
  CONSTRAINT "tombstone_7e62d326" CHECK (NOT is_deleted OR (num_nonnulls("touches", "people", "spend_micros") = 0 AND deleted_at IS NOT NULL AND deletion_reason IS NOT NULL))
);
CREATE UNIQUE INDEX "campaign_performance_row_seq" ON "stitch_stage"."campaign_performance" ("row_seq");
COMMENT ON TABLE "stitch_stage"."campaign_performance" IS 'Meetings with each campaign by day (UTC) and channel.';

-- create table stitch_stage.privacy_deletions
CREATE TABLE "stitch_stage"."privacy_deletions" (
  "deletion_id" text NOT NULL,
  "subject_key" text NOT NULL,
  "request_id" text NOT NULL,
  "reason" text NOT NULL,
  "rows_erased" bigint NOT NULL,
  "policy_version" text NOT NULL,
  "occurred_at" timestamp with time zone NOT NULL,
  "staged_at" timestamp with time zone NOT NULL,
  "row_seq" bigint NOT NULL,
  PRIMARY KEY ("deletion_id"),
  CONSTRAINT "key_96b67147" CHECK (octet_length("deletion_id") BETWEEN 1 AND 200),
  CONSTRAINT "occurred_at_98351483" CHECK ("occurred_at" >= '1970-01-01Z' AND "occurred_at" < '9999-01-01Z')
);
CREATE UNIQUE INDEX "privacy_deletions_row_seq" ON "stitch_stage"."privacy_deletions" ("row_seq");
COMMENT ON TABLE "stitch_stage"."privacy_deletions" IS 'One row for each subject that was erased: what else the warehouse holds of it has to go.';

-- create function begin_batch
CREATE OR REPLACE FUNCTION stage_internal.begin_batch() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $ebbgate$
DECLARE
  floor_now bigint;
  value bigint;
BEGIN
  LOCK TABLE stage_internal.write_gate IN EXCLUSIVE MODE;
  value := nextval('stage_internal.row_seq');
  floor_now := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
  IF value < floor_now THEN
    value := setval('stage_internal.row_seq', floor_now, true);
  END IF;
  RETURN value;
END
$ebbgate$;

-- create function stamp
CREATE OR REPLACE FUNCTION stage_internal.stamp() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $ebbgate$
BEGIN
  LOCK TABLE stage_internal.write_gate IN EXCLUSIVE MODE;
  IF TG_ARGV[0] = 'subject' THEN
    IF NOT NEW.is_deleted AND EXISTS (SELECT FROM stage_internal.erased_subjects e WHERE e.subject_key = NEW.subject_key) THEN
      RETURN NULL;
    END IF;
  END IF;
  NEW.row_seq := nextval('stage_internal.row_seq');
  NEW.staged_at := clock_timestamp();
  RETURN NEW;
END
$ebbgate$;

-- create function erase_subject
CREATE OR REPLACE FUNCTION stage_internal.erase_subject(p_subject text, p_subject_key text, p_request text, p_policy text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $ebbgate$
DECLARE
  n bigint;
  total bigint := 0;
BEGIN
  PERFORM stage_internal.begin_batch();
  INSERT INTO stage_internal.erased_subjects (subject, subject_key, request_id) VALUES (p_subject, p_subject_key, p_request) ON CONFLICT DO NOTHING;
  UPDATE "stitch_stage"."customer_profiles" t SET "user_token" = NULL, "account_token" = NULL, "signup_method" = NULL, "plan" = NULL, "country" = NULL, "trial_length_days" = NULL, is_deleted = true, deleted_at = clock_timestamp(), deletion_reason = 'erasure', deletion_request_id = p_request
    FROM stage_internal.row_subjects s
    WHERE s.subject = p_subject AND s.dataset = 'customer_profiles' AND t.subject_key = s.row_id AND t.deletion_reason IS DISTINCT FROM 'erasure';
  GET DIAGNOSTICS n = ROW_COUNT;
  total := total + n;
  UPDATE "stitch_stage"."subscription_facts" t SET "subject_key" = NULL, "account_token" = NULL, "plan" = NULL, "billing_interval" = NULL, "seats" = NULL, "amount_micros" = NULL, "currency" = NULL, "reason" = NULL, "ends_at" = NULL, is_deleted = true, deleted_at = clock_timestamp(), deletion_reason = 'erasure', deletion_request_id = p_request
    FROM stage_internal.row_subjects s
    WHERE s.subject = p_subject AND s.dataset = 'subscription_facts' AND t.fact_id = s.row_id AND t.deletion_reason IS DISTINCT FROM 'erasure';
  GET DIAGNOSTICS n = ROW_COUNT;
  total := total + n;
  UPDATE "stitch_stage"."marketing_events" t SET "subject_key" = NULL, "user_token" = NULL, "campaign_id" = NULL, "channel" = NULL, "cost_micros" = NULL, "currency" = NULL, "utm_campaign" = NULL, "form_id" = NULL, is_deleted = true, deleted_at = clock_timestamp(), deletion_reason = 'erasure', deletion_request_id = p_request
    FROM stage_internal.row_subjects s
    WHERE s.subject = p_subject AND s.dataset = 'marketing_events' AND t.event_id = s.row_id AND t.deletion_reason IS DISTINCT FROM 'erasure';
  GET DIAGNOSTICS n = ROW_COUNT;
  total := total + n;
  UPDATE "stitch_stage"."billing_events" t SET "subject_key" = NULL, "account_token" = NULL, "invoice_token" = NULL, "plan" = NULL, "amount_micros" = NULL, "currency" = NULL, "payment_method" = NULL, "paid_at" = NULL, "items_json" = NULL, is_deleted = true, deleted_at = clock_timestamp(), deletion_reason = 'erasure', deletion_request_id = p_request
    FROM stage_internal.row_subjects s
    WHERE s.subject = p_subject AND s.dataset = 'billing_events' AND t.event_id = s.row_id AND t.deletion_reason IS DISTINCT FROM 'erasure';
  GET DIAGNOSTICS n = ROW_COUNT;
  total := total + n;
  DELETE FROM stage_internal.row_subjects WHERE subject = p_subject;
  INSERT INTO "stitch_stage".privacy_deletions (deletion_id, subject_key, request_id, reason, rows_erased, policy_version, occurred_at)
    VALUES ('pd_' || encode(sha256(convert_to(p_request || chr(31) || p_subject_key, 'UTF8')), 'hex'), p_subject_key, p_request, 'erasure', total, p_policy, clock_timestamp())
    ON CONFLICT DO NOTHING;
  RETURN total;
END
$ebbgate$;

-- create function purge
CREATE OR REPLACE FUNCTION stage_internal.purge() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $ebbgate$
DECLARE
  n bigint;
  total bigint := 0;
BEGIN
  DELETE FROM "stitch_stage"."customer_profiles" WHERE is_deleted AND deleted_at < now() - interval '840 hours';
  GET DIAGNOSTICS n = ROW_COUNT;
  total := total + n;
  DELETE FROM "stitch_stage"."customer_profiles" WHERE occurred_at < now() - interval '4320 hours';
  GET DIAGNOSTICS n = ROW_COUNT;
  total := total + n;
  DELETE FROM "stitch_stage"."subscription_facts" WHERE is_deleted AND deleted_at < now() - interval '840 hours';
  GET DIAGNOSTICS n = ROW_COUNT;
  total := total + n;
  DELETE FROM "stitch_stage"."subscription_facts" WHERE occurred_at < now() - interval '4320 hours';
  GET DIAGNOSTICS n = ROW_COUNT;
  total := total + n;
  DELETE FROM "stitch_stage"."marketing_events" WHERE is_deleted AND deleted_at < now() - interval '840 hours';
  GET DIAGNOSTICS n = ROW_COUNT;
  total := total + n;
  DELETE FROM "stitch_stage"."marketing_events" WHERE occurred_at < now() - interval '4320 hours';
  GET DIAGNOSTICS n = ROW_COUNT;
  total := total + n;
  DELETE FROM "stitch_stage"."billing_events" WHERE is_deleted AND deleted_at < now() - interval '840 hours';
  GET DIAGNOSTICS n = ROW_COUNT;
  total := total + n;
  DELETE FROM "stitch_stage"."billing_events" WHERE occurred_at < now() - interval '4320 hours';
  GET DIAGNOSTICS n = ROW_COUNT;
  total := total + n;
  DELETE FROM "stitch_stage"."campaign_performance" WHERE is_deleted AND deleted_at < now() - interval '840 hours';
  GET DIAGNOSTICS n = ROW_COUNT;
  total := total + n;
  DELETE FROM "stitch_stage"."campaign_performance" WHERE metric_date < now() - interval '4320 hours';
  GET DIAGNOSTICS n = ROW_COUNT;
  total := total + n;
  DELETE FROM stage_internal.row_subjects s WHERE s.dataset = 'customer_profiles' AND NOT EXISTS (SELECT FROM "stitch_stage"."customer_profiles" t WHERE t.subject_key = s.row_id);
  DELETE FROM stage_internal.row_subjects s WHERE s.dataset = 'subscription_facts' AND NOT EXISTS (SELECT FROM "stitch_stage"."subscription_facts" t WHERE t.fact_id = s.row_id);
  DELETE FROM stage_internal.row_subjects s WHERE s.dataset = 'marketing_events' AND NOT EXISTS (SELECT FROM "stitch_stage"."marketing_events" t WHERE t.event_id = s.row_id);
  DELETE FROM stage_internal.row_subjects s WHERE s.dataset = 'billing_events' AND NOT EXISTS (SELECT FROM "stitch_stage"."billing_events" t WHERE t.event_id = s.row_id);
  RETURN total;
END
$ebbgate$;

-- create function restate_campaign_performance
CREATE OR REPLACE FUNCTION stage_internal.restate_campaign_performance() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $ebbgate$
BEGIN
  IF TG_OP = 'INSERT' THEN
    WITH t AS (SELECT metric_date, "campaign_id", "channel", "currency", max(policy_version) AS policy_version, max(batch_id) AS batch_id FROM (SELECT (occurred_at AT TIME ZONE 'UTC')::date AS metric_date, coalesce("campaign_id", '') AS "campaign_id", coalesce("channel", '') AS "channel", coalesce("currency", '') AS "currency", policy_version, batch_id FROM added WHERE "campaign_id" IS NOT NULL AND NOT is_deleted) x GROUP BY metric_date, "campaign_id", "channel", "currency"),
    c AS (SELECT t.metric_date, t."campaign_id", t."channel", t."currency", t.policy_version, t.batch_id, 'ce_' || encode(sha256(convert_to(concat_ws(chr(31), t.metric_date::text, t."campaign_id", t."channel", t."currency"), 'UTF8')), 'hex') AS cell_id,
        count(DISTINCT e.subject_key) AS n__people, count(e.event_id) FILTER (WHERE e.event_name = 'campaign_touched') AS "touches", count(DISTINCT e.subject_key) AS "people", coalesce(sum(e."cost_micros"), 0)::bigint AS "spend_micros"
      FROM t LEFT JOIN "stitch_stage"."marketing_events" e ON e."campaign_id" = t."campaign_id" AND coalesce(e."channel", '') = t."channel" AND coalesce(e."currency", '') = t."currency" AND NOT e.is_deleted
        AND e.occurred_at >= t.metric_date::timestamp AT TIME ZONE 'UTC' AND e.occurred_at < (t.metric_date + 1)::timestamp AT TIME ZONE 'UTC'
      GROUP BY t.metric_date, t."campaign_id", t."channel", t."currency", t.policy_version, t.batch_id)
    INSERT INTO "stitch_stage"."campaign_performance" AS a (cell_id, metric_date, "campaign_id", "channel", "currency", "touches", "people", "spend_micros", policy_version, batch_id, is_deleted, deleted_at, deletion_reason)
    SELECT c.cell_id, c.metric_date, c."campaign_id", c."channel", c."currency", CASE WHEN c.n__people >= 5 THEN c."touches" END, CASE WHEN c.n__people >= 5 THEN c."people" END, CASE WHEN c.n__people >= 5 THEN c."spend_micros" END, c.policy_version, c.batch_id, c.n__people < 5,
        CASE WHEN c.n__people < 5 THEN clock_timestamp() END, CASE WHEN c.n__people < 5 THEN 'small_cell' END
      FROM c WHERE c.n__people >= 5 OR EXISTS (SELECT FROM "stitch_stage"."campaign_performance" o WHERE o.cell_id = c.cell_id)
      ORDER BY c.cell_id
    ON CONFLICT (cell_id) DO UPDATE SET "touches" = excluded."touches", "people" = excluded."people", "spend_micros" = excluded."spend_micros", policy_version = excluded.policy_version, batch_id = excluded.batch_id,
        is_deleted = excluded.is_deleted, deleted_at = excluded.deleted_at, deletion_reason = excluded.deletion_reason
      WHERE NOT a.is_final AND (a."touches", a."people", a."spend_micros", a.is_deleted) IS DISTINCT FROM (excluded."touches", excluded."people", excluded."spend_micros", excluded.is_deleted);
  ELSE
    WITH t AS (SELECT metric_date, "campaign_id", "channel", "currency", max(policy_version) AS policy_version, max(batch_id) AS batch_id FROM (SELECT (occurred_at AT TIME ZONE 'UTC')::date AS metric_date, coalesce("campaign_id", '') AS "campaign_id", coalesce("channel", '') AS "channel", coalesce("currency", '') AS "currency", policy_version, batch_id FROM removed WHERE "campaign_id" IS NOT NULL AND NOT is_deleted UNION ALL SELECT (occurred_at AT TIME ZONE 'UTC')::date AS metric_date, coalesce("campaign_id", '') AS "campaign_id", coalesce("channel", '') AS "channel", coalesce("currency", '') AS "currency", policy_version, batch_id FROM added WHERE "campaign_id" IS NOT NULL AND NOT is_deleted) x GROUP BY metric_date, "campaign_id", "channel", "currency"),
    c AS (SELECT t.metric_date, t."campaign_id", t."channel", t."currency", t.policy_version, t.batch_id, 'ce_' || encode(sha256(convert_to(concat_ws(chr(31), t.metric_date::text, t."campaign_id", t."channel", t."currency"), 'UTF8')), 'hex') AS cell_id,
        count(DISTINCT e.subject_key) AS n__people, count(e.event_id) FILTER (WHERE e.event_name = 'campaign_touched') AS "touches", count(DISTINCT e.subject_key) AS "people", coalesce(sum(e."cost_micros"), 0)::bigint AS "spend_micros"
      FROM t LEFT JOIN "stitch_stage"."marketing_events" e ON e."campaign_id" = t."campaign_id" AND coalesce(e."channel", '') = t."channel" AND coalesce(e."currency", '') = t."currency" AND NOT e.is_deleted
        AND e.occurred_at >= t.metric_date::timestamp AT TIME ZONE 'UTC' AND e.occurred_at < (t.metric_date + 1)::timestamp AT TIME ZONE 'UTC'
      GROUP BY t.metric_date, t."campaign_id", t."channel", t."currency", t.policy_version, t.batch_id)
    INSERT INTO "stitch_stage"."campaign_performance" AS a (cell_id, metric_date, "campaign_id", "channel", "currency", "touches", "people", "spend_micros", policy_version, batch_id, is_deleted, deleted_at, deletion_reason)
    SELECT c.cell_id, c.metric_date, c."campaign_id", c."channel", c."currency", CASE WHEN c.n__people >= 5 THEN c."touches" END, CASE WHEN c.n__people >= 5 THEN c."people" END, CASE WHEN c.n__people >= 5 THEN c."spend_micros" END, c.policy_version, c.batch_id, c.n__people < 5,
        CASE WHEN c.n__people < 5 THEN clock_timestamp() END, CASE WHEN c.n__people < 5 THEN 'small_cell' END
      FROM c WHERE c.n__people >= 5 OR EXISTS (SELECT FROM "stitch_stage"."campaign_performance" o WHERE o.cell_id = c.cell_id)
      ORDER BY c.cell_id
    ON CONFLICT (cell_id) DO UPDATE SET "touches" = CASE WHEN a.is_final THEN least(excluded."touches", coalesce(a."touches", excluded."touches")) ELSE excluded."touches" END, "people" = CASE WHEN a.is_final THEN least(excluded."people", coalesce(a."people", excluded."people")) ELSE excluded."people" END, "spend_micros" = CASE WHEN a.is_final THEN least(excluded."spend_micros", coalesce(a."spend_micros", excluded."spend_micros")) ELSE excluded."spend_micros" END, policy_version = excluded.policy_version, batch_id = excluded.batch_id,
        is_deleted = excluded.is_deleted, deleted_at = excluded.deleted_at, deletion_reason = excluded.deletion_reason
      WHERE (a."touches", a."people", a."spend_micros", a.is_deleted) IS DISTINCT FROM (excluded."touches", excluded."people", excluded."spend_micros", excluded.is_deleted);
  END IF;
  UPDATE "stitch_stage"."campaign_performance" SET is_final = true WHERE NOT is_final AND metric_date < (now() AT TIME ZONE 'UTC' - interval '168 hours')::date AND staged_at < now() - interval '168 hours';
  RETURN NULL;
END
$ebbgate$;

-- create trigger stamp on stitch_stage.customer_profiles
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON "stitch_stage"."customer_profiles" FOR EACH ROW EXECUTE FUNCTION stage_internal.stamp('subject');

-- create trigger stamp on stitch_stage.subscription_facts
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON "stitch_stage"."subscription_facts" FOR EACH ROW EXECUTE FUNCTION stage_internal.stamp('subject');

-- create trigger stamp on stitch_stage.marketing_events
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON "stitch_stage"."marketing_events" FOR EACH ROW EXECUTE FUNCTION stage_internal.stamp('subject');

-- create trigger stamp on stitch_stage.billing_events
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON "stitch_stage"."billing_events" FOR EACH ROW EXECUTE FUNCTION stage_internal.stamp('subject');

-- create trigger stamp on stitch_stage.campaign_performance
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON "stitch_stage"."campaign_performance" FOR EACH ROW EXECUTE FUNCTION stage_internal.stamp('plain');

-- create trigger stamp on stitch_stage.privacy_deletions
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON "stitch_stage"."privacy_deletions" FOR EACH ROW EXECUTE FUNCTION stage_internal.stamp('plain');

-- create trigger restate_campaign_performance_insert on stitch_stage.marketing_events
CREATE TRIGGER restate_campaign_performance_insert AFTER INSERT ON "stitch_stage"."marketing_events" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stage_internal.restate_campaign_performance();

-- create trigger restate_campaign_performance_update on stitch_stage.marketing_events
CREATE TRIGGER restate_campaign_performance_update AFTER UPDATE ON "stitch_stage"."marketing_events" REFERENCING OLD TABLE AS removed NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION stage_internal.restate_campaign_performance();

-- grant database CONNECT
RESET ROLE;
GRANT CONNECT ON DATABASE "marketing_stage" TO stage_writer;

-- grant database TEMPORARY
GRANT TEMPORARY ON DATABASE "marketing_stage" TO stage_writer;

-- grant database CONNECT
GRANT CONNECT ON DATABASE "marketing_stage" TO stitch_reader;

-- grant schema USAGE stitch_stage
SET LOCAL ROLE stage_owner;
GRANT USAGE ON SCHEMA stitch_stage TO stage_writer;

-- grant schema USAGE stitch_stage
GRANT USAGE ON SCHEMA stitch_stage TO stitch_reader;

-- grant schema USAGE stage_internal
GRANT USAGE ON SCHEMA stage_internal TO stage_writer;

-- grant table SELECT stitch_stage.customer_profiles
GRANT SELECT ON TABLE stitch_stage.customer_profiles TO stitch_reader;

-- grant table SELECT stitch_stage.customer_profiles
GRANT SELECT ON TABLE stitch_stage.customer_profiles TO stage_writer;

-- grant table INSERT stitch_stage.customer_profiles
GRANT INSERT ON TABLE stitch_stage.customer_profiles TO stage_writer;

-- grant table UPDATE stitch_stage.customer_profiles
GRANT UPDATE ON TABLE stitch_stage.customer_profiles TO stage_writer;

-- grant table SELECT stitch_stage.subscription_facts
GRANT SELECT ON TABLE stitch_stage.subscription_facts TO stitch_reader;

-- grant table SELECT stitch_stage.subscription_facts
GRANT SELECT ON TABLE stitch_stage.subscription_facts TO stage_writer;

-- grant table INSERT stitch_stage.subscription_facts
GRANT INSERT ON TABLE stitch_stage.subscription_facts TO stage_writer;

-- grant table UPDATE stitch_stage.subscription_facts
GRANT UPDATE ON TABLE stitch_stage.subscription_facts TO stage_writer;

-- grant table SELECT stitch_stage.marketing_events
GRANT SELECT ON TABLE stitch_stage.marketing_events TO stitch_reader;

-- grant table SELECT stitch_stage.marketing_events
GRANT SELECT ON TABLE stitch_stage.marketing_events TO stage_writer;

-- grant table INSERT stitch_stage.marketing_events
GRANT INSERT ON TABLE stitch_stage.marketing_events TO stage_writer;

-- grant table UPDATE stitch_stage.marketing_events
GRANT UPDATE ON TABLE stitch_stage.marketing_events TO stage_writer;

-- grant table SELECT stitch_stage.billing_events
GRANT SELECT ON TABLE stitch_stage.billing_events TO stitch_reader;

-- grant table SELECT stitch_stage.billing_events
GRANT SELECT ON TABLE stitch_stage.billing_events TO stage_writer;

-- grant table INSERT stitch_stage.billing_events
GRANT INSERT ON TABLE stitch_stage.billing_events TO stage_writer;

-- grant table UPDATE stitch_stage.billing_events
GRANT UPDATE ON TABLE stitch_stage.billing_events TO stage_writer;

-- grant table SELECT stitch_stage.campaign_performance
GRANT SELECT ON TABLE stitch_stage.campaign_performance TO stitch_reader;

-- grant table SELECT stitch_stage.campaign_performance
GRANT SELECT ON TABLE stitch_stage.campaign_performance TO stage_writer;

-- grant table SELECT stitch_stage.privacy_deletions
GRANT SELECT ON TABLE stitch_stage.privacy_deletions TO stitch_reader;

-- grant table SELECT stitch_stage.privacy_deletions
GRANT SELECT ON TABLE stitch_stage.privacy_deletions TO stage_writer;

-- grant table SELECT stage_internal.source_offsets
GRANT SELECT ON TABLE stage_internal.source_offsets TO stage_writer;

-- grant table INSERT stage_internal.source_offsets
GRANT INSERT ON TABLE stage_internal.source_offsets TO stage_writer;

-- grant table UPDATE stage_internal.source_offsets
GRANT UPDATE ON TABLE stage_internal.source_offsets TO stage_writer;

-- grant table SELECT stage_internal.row_subjects
GRANT SELECT ON TABLE stage_internal.row_subjects TO stage_writer;

-- grant table INSERT stage_internal.row_subjects
GRANT INSERT ON TABLE stage_internal.row_subjects TO stage_writer;

-- grant table SELECT stage_internal.erased_subjects
GRANT SELECT ON TABLE stage_internal.erased_subjects TO stage_writer;

-- revoke function EXECUTE stage_internal.begin_batch()
REVOKE EXECUTE ON FUNCTION stage_internal.begin_batch() FROM PUBLIC;

-- grant function EXECUTE stage_internal.begin_batch()
GRANT EXECUTE ON FUNCTION stage_internal.begin_batch() TO stage_writer;

-- revoke function EXECUTE stage_internal.stamp()
REVOKE EXECUTE ON FUNCTION stage_internal.stamp() FROM PUBLIC;

-- revoke function EXECUTE stage_internal.erase_subject(text, text, text, text)
REVOKE EXECUTE ON FUNCTION stage_internal.erase_subject(text, text, text, text) FROM PUBLIC;

-- grant function EXECUTE stage_internal.erase_subject(text, text, text, text)
GRANT EXECUTE ON FUNCTION stage_internal.erase_subject(text, text, text, text) TO stage_writer;

-- revoke function EXECUTE stage_internal.purge()
REVOKE EXECUTE ON FUNCTION stage_internal.purge() FROM PUBLIC;

-- revoke function EXECUTE stage_internal.restate_campaign_performance()
REVOKE EXECUTE ON FUNCTION stage_internal.restate_campaign_performance() FROM PUBLIC;
