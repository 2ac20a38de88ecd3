package monitoring

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// values are what the traffic and the faults come to: of each metric that is promised, a number that only its own count gives.
var values = map[string]float64{
	`ebbgate_input_records_total{stream="ingest-events"}`:                                                                           80,
	`ebbgate_input_replays_total{stream="ingest-events",kind="transient"}`:                                                          1,
	`sum(ebbgate_input_chunks_total{stream="ingest-brokered"})`:                                                                     rounds,
	`sum(ebbgate_input_lag{stream="analytics"})`:                                                                                    0,
	`sum(ebbgate_input_lag{stream="stalled"}) > bool 60`:                                                                            1,
	`ebbgate_input_retention_seconds{stream="stalled"}`:                                                                             14 * 86400,
	`floor(max(time() - (ebbgate_input_oldest_unread_timestamp_seconds != 0)) / 86400)`:                                             11,
	`floor(min(ebbgate:time_to_loss_seconds) / 86400)`:                                                                              2,
	`ebbgate_output_records_total{stream="ingest-events",topic="events.raw"}`:                                                       78,
	`ebbgate_output_records_total{stream="govern",topic="events.authorized.analytics"}`:                                             65,
	`ebbgate_output_unwritten_total{stream="ingest-events",topic="events.raw"}`:                                                     1,
	`ebbgate_output_failed_batches_total{stream="ingest-events"}`:                                                                   1,
	`ebbgate_output_refused_total{topic="events.dlq",code="output.wrong_topic"}`:                                                    3 * 78, // attempts
	`ebbgate_output_settled_total{stream="misrouted"}`:                                                                              78,
	`ebbgate_quarantined_total{stage="ingest",code="event.syntax",stream="ingest-events"}`:                                          rounds,
	`ebbgate_quarantined_total{stage="validate",code="contract.type"}`:                                                              2 * rounds,
	`ebbgate_quarantined_total{stage="validate",code="contract.unknown_event"}`:                                                     rounds,
	`ebbgate_quarantined_total{stage="deliver",code="seal.missing",stream="analytics"}`:                                             1,
	`ebbgate_undeclared_removed_total{event="page_viewed"}`:                                                                         3 * rounds,
	`ebbgate_schema_drift_total{event="page_viewed",classification="direct"}`:                                                       2 * rounds,
	`ebbgate_judged_total{stage="validate",source="web_app",consent="missing"}`:                                                     3 * rounds,
	`ebbgate_judged_total{stage="validate",source="web_app",consent="valid"}`:                                                       32*rounds - 2*rounds + 2 + 2,
	`ebbgate_judged_total{stage="validate",source="github",consent="unrecorded"}`:                                                   rounds,
	`ebbgate_judged_total{stage="govern",source="other",consent="valid"}`:                                                           rounds,
	`ebbgate_missing_consent_total{stage="validate",source="web_app"}`:                                                              3 * rounds,
	`ebbgate_missing_consent_total{stage="validate",source="github"}`:                                                               rounds,
	`ebbgate_denied_total{destination="*",reason="consent.analytics=missing"}`:                                                      3 * rounds,
	`ebbgate_denied_total{destination="activation",reason="consent.marketing=false"}`:                                               4 * rounds,
	`ebbgate_fields_total{destination="activation",outcome="kept"}`:                                                                 70,
	`ebbgate_fields_total{destination="activation",outcome="dropped"}`:                                                              40,
	`ebbgate_fields_total{destination="analytics",outcome="transformed"}`:                                                           65,
	`ebbgate_delivered_total{destination="analytics"}`:                                                                              66,
	`ebbgate_denied_at_export_total{destination="analytics",reason="consent.withdrawn.analytics"}`:                                  1,
	`ebbgate_repeated_total{destination="analytics"}`:                                                                               1,
	`ebbgate_settled_total{destination="analytics"}`:                                                                                1,
	`ebbgate_refused_total{stream="analytics",destination="analytics",code="seal.missing"}`:                                         3,
	`ebbgate_waits_total{destination="analytics",reason="clickhouse"} > bool 1`:                                                     1,
	`ebbgate_clickhouse_insert_seconds_sum{stream="analytics"} > bool 0.001`:                                                        1,
	`ebbgate_end_to_end_latency_seconds_count{destination="analytics"} > bool 1`:                                                    1, // samples: how many depends on how chunks were cut
	`ebbgate_end_to_end_latency_seconds_sum{destination="analytics"} > bool 0.01`:                                                   1,
	`time() - ebbgate_newest_delivered_timestamp_seconds{destination="analytics"} < bool 60`:                                        1,
	`ebbgate_first_delivered_timestamp_seconds{destination="analytics"} - on () group_left () process_start_time_seconds > bool 0`:  1,
	`ebbgate_first_delivered_timestamp_seconds{destination="analytics"} - on () group_left () process_start_time_seconds < bool 60`: 1,
	`ebbgate_webhook_attempts_total{source="stripe",verification="ok"}`:                                                             2 * rounds,
	`ebbgate_webhook_attempts_total{source="stripe",verification="bad_signature"}`:                                                  30 * rounds,
	`ebbgate_webhook_refused_total{source="stripe",code="bad_signature"}`:                                                           30 * rounds,
	`ebbgate_webhook_retries_total{source="slack"}`:                                                                                 rounds,
	`ebbgate_webhook_equal_bodies_total{source="shopify"}`:                                                                          rounds,
	`ebbgate_webhook_durable_seconds_count{source="stripe"}`:                                                                        2 * rounds,
	`ebbgate_webhook_durable_seconds_sum{source="stripe"} < bool 30`:                                                                1,
	`ebbgate_state_keys{topic="privacy.consent"}`:                                                                                   1,
}

// holdsValues compares what is counted with what happened.
func holdsValues(t *testing.T, s *server) {
	for query, want := range values {
		found := s.query(query)
		if assert.Len(t, found, 1, query) {
			assert.InDelta(t, want, found[0].value, 0, query)
		}
	}
}
