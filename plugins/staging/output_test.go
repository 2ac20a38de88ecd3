package staging

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/stitch"
)

func TestAChunkBecomesRows(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(
		signedUp(0, 1, "free"), touched(1, 1),
		newEvent(2, 1, "subscription_started", "billing", `"plan":"pro","interval":"month","seats":3,"amount":49.99,"currency":"EUR"`),
		newEvent(3, 1, "subscription_cancelled", "billing", `"plan":"pro","reason":"price","ends_at":"2026-05-01T00:00:00Z"`),
		newEvent(4, 1, "invoice_paid", "billing", `"amount":12.345678,"currency":"EUR","items":[{"sku":"a","quantity":1}]`),
	)))
	assert.Equal(t, []string{"t1.user1|t1.acc1|sso|pro|DE|evt_00000002"},
		s.texts(t, "SELECT concat_ws('|', user_token, account_token, signup_method, plan, country, event_id) FROM stitch_stage.customer_profiles"), "later words replace, silence does not")
	assert.Equal(t, []string{"t1.acc1|pro|price|subscription_cancelled"},
		s.texts(t, "SELECT concat_ws('|', account_token, plan, seats, amount_micros, reason, event_name) FROM stitch_stage.subscription_facts"), "the latest event is the fact")
	assert.Equal(t, []string{"spring|email|250000|c1|req_abc|2026-11-01|7|marketing|analytics;marketing=properties.utm_campaign|events.authorized.warehouse|0|1"},
		s.texts(t, "SELECT concat_ws('|', campaign_id, channel, cost_micros, utm_campaign, correlation_id, policy_version, consent_version, data_class, relied_on, source_topic, source_partition, source_offset) FROM stitch_stage.marketing_events"))
	assert.Equal(t, []string{`12345678|[{"sku":"a","quantity":1}]`}, s.texts(t, "SELECT concat_ws('|', amount_micros, items_json) FROM stitch_stage.billing_events"))
	assert.Equal(t, []string{"5 5 0 0"}, s.texts(t, "SELECT concat_ws(' ', next_offset, delivered, denied, settled) FROM stage_internal.source_offsets"))
	assert.Zero(t, s.count(t, "stitch_stage.marketing_events WHERE subject_key !~ '^sk_[a-z2-7]{26}$' OR subject_key = '"+user(1)+"'"), "the state topics' pseudonym does not leave")
}

func TestAReplayMovesNoRow(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	events := func() (all []*sealedEvent) {
		for i := range int64(40) {
			switch i % 4 {
			case 0:
				all = append(all, signedUp(i, i%7, "free"))
			case 1:
				all = append(all, touched(i, i%7))
			case 2:
				all = append(all, newEvent(i, i%7, "subscription_started", "billing", `"plan":"pro","interval":"month","seats":3,"amount":49,"currency":"EUR"`))
			default:
				all = append(all, newEvent(i, i%7, "trial_started", "product", `"plan":"starter","trial_length_days":14`))
			}
		}
		return all
	}
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(events()...)))
	before := s.sequences(t)
	require.NotEmpty(t, before)
	for epoch := range uint32(3) {
		require.NoError(t, s.output(t).WriteBatch(t.Context(), chunkAt(0, epoch, events()...)), "the whole, at a new epoch or the old one")
		require.NoError(t, o.WriteBatch(t.Context(), chunkAt(0, epoch, events()[5:25]...)), "a part, cut otherwise")
	}
	require.Equal(t, before, s.sequences(t))
	require.Equal(t, []string{"40"}, s.texts(t, "SELECT delivered::text FROM stage_internal.source_offsets WHERE replay_epoch = 0"))
}

func TestTheOrderOfArrivalDoesNotMatter(t *testing.T) {
	const state = "SELECT concat_ws('|', user_token, plan, event_id, trial_length_days) FROM stitch_stage.customer_profiles"
	events := []*sealedEvent{signedUp(0, 1, "free"), newEvent(1, 1, "trial_started", "product", `"trial_length_days":14`), signedUp(2, 1, "pro")}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {2, 0, 1}} {
		s := newServer(t)
		o := s.output(t)
		for _, i := range order {
			require.NoError(t, o.WriteBatch(t.Context(), chunkAt(int32(i), 0, events[i])))
		}
		require.Equal(t, []string{"t1.user1|pro|evt_00000002|14"}, s.texts(t, state), "%v", order)
	}
}

func TestUnsealedRecordsAreRefused(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	for code, change := range map[string]func(*sealedEvent){
		"seal.missing":     func(e *sealedEvent) { e.raw = true },
		"seal.mismatch":    func(e *sealedEvent) { e.seal = "s1.x.y" },
		"seal.destination": func(e *sealedEvent) { e.rec.Destination = "analytics" },
		"staging.type": func(e *sealedEvent) {
			e.rec.Body = []byte(strings.Replace(string(e.rec.Body), `"spring"`, `{"a":1}`, 1))
		},
		"staging.required": func(e *sealedEvent) {
			e.rec.Body = []byte(strings.Replace(string(e.rec.Body), `"timestamp"`, `"timestamq"`, 1))
		},
		"staging.key": func(e *sealedEvent) { e.rec.EventID = strings.Repeat("e", 201) },
	} {
		err := o.WriteBatch(t.Context(), chunkOf(touched(0, 1), touched(1, 2).with(change)))
		permanent, ok := errors.AsType[*stage.PermanentError](err)
		require.True(t, ok, "%s: %v", code, err)
		assert.Equal(t, code, permanent.Code)
		require.Len(t, permanent.Refs, 1)
		assert.EqualValues(t, 1, permanent.Refs[0].Offset)
		assert.Equal(t, testDestination, permanent.Destination)
		assert.NotContains(t, err.Error(), "t1.user")
	}
	assert.Zero(t, s.count(t, "stitch_stage.marketing_events"), "nothing of the chunk goes in")
}

func TestValuesNoTableHoldsGoToQuarantine(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	for _, properties := range []string{
		`"campaign_id":"a\u0000b"`, `"campaign_id":"` + strings.Repeat("x", 60001) + `"`, `"campaign_id":"a","cost":1e300`, `"campaign_id":"a","cost":"1"`, `"campaign_id":"a","cost":true`,
	} {
		err := o.WriteBatch(t.Context(), chunkOf(newEvent(0, 1, "campaign_touched", "marketing", properties)))
		permanent, ok := errors.AsType[*stage.PermanentError](err)
		require.True(t, ok, "%.60s: %v", properties, err)
		assert.Equal(t, "staging.type", permanent.Code)
	}
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(newEvent(0, 1, "campaign_touched", "marketing", `"campaign_id":null,"cost":-0.0000005`))))
	assert.Equal(t, []string{"-1"}, s.texts(t, "SELECT cost_micros::text FROM stitch_stage.marketing_events WHERE campaign_id IS NULL"))
}

func TestConsentIsReadAgainInTheTransaction(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	s.set(user(2), withdrawn("analytics"))
	s.set(user(3), withdrawn("marketing"))
	s.set(user(4), consent.State{Erased: &consent.Erasure{RequestID: "req_9"}})
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(touched(0, 1), touched(1, 2), signedUp(2, 3, "pro"), touched(3, 4))))
	assert.Equal(t, []string{"evt_00000000"}, s.texts(t, "SELECT event_id FROM stitch_stage.marketing_events"))
	assert.Equal(t, []string{"2 2"}, s.texts(t, "SELECT concat_ws(' ', delivered, denied) FROM stage_internal.source_offsets"))
}

func TestAWithdrawalReachesRowsThatAreThere(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(touched(0, 1), signedUp(1, 1, "pro"), touched(2, 2), signedUp(3, 2, "free"))))
	var reader stitch.Reader
	var warehouse stitch.Destination
	s.pull(t, &reader, &warehouse)
	before := s.sequences(t)
	require.NoError(t, o.WriteBatch(t.Context(), changed("privacy.consent", 0, user(1), user(9))))
	require.Equal(t, before, s.sequences(t), "nothing has changed for them")

	s.set(user(1), withdrawn("analytics"))
	require.NoError(t, o.WriteBatch(t.Context(), changed("privacy.consent", 2, user(1))))
	s.pull(t, &reader, &warehouse)
	require.True(t, warehouse.Tables["marketing_events"]["evt_00000000"]["is_deleted"].(bool))
	require.Equal(t, "consent_withdrawn", warehouse.Tables["marketing_events"]["evt_00000000"]["deletion_reason"])
	require.NotContains(t, fmt.Sprint(warehouse.Tables), "t1.user1")
	require.Contains(t, fmt.Sprint(warehouse.Tables), "t1.user2")

	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(touched(0, 1), signedUp(1, 1, "pro"))))
	s.pull(t, &reader, &warehouse)
	require.NotContains(t, fmt.Sprint(warehouse.Tables), "t1.user1", "a replay does not bring it back")

	s.set(user(1), consent.State{})
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(signedUp(4, 1, "enterprise"))))
	s.pull(t, &reader, &warehouse)
	require.Contains(t, fmt.Sprint(warehouse.Tables["customer_profiles"]), "enterprise", "an opt-in and a later event do")
}

func TestAWithdrawalOfOnePurposeEmptiesItsColumns(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	e := touched(0, 1).with(func(e *sealedEvent) { e.rec.Class = "billing" }) // of a class that marketing does not hold back
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(e)))
	s.set(user(1), withdrawn("marketing"))
	require.NoError(t, o.WriteBatch(t.Context(), changed("privacy.consent", 0, user(1))))
	assert.Equal(t, []string{"spring|-|f"}, s.texts(t, "SELECT concat_ws('|', campaign_id, coalesce(utm_campaign, '-'), left(is_deleted::text, 1)) FROM stitch_stage.marketing_events"))
}

func TestErasedStaysErased(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	events := func() []*sealedEvent {
		return []*sealedEvent{touched(0, 1), signedUp(1, 1, "pro"), touched(2, 2), newEvent(3, 1, "subscription_started", "billing", `"plan":"pro","interval":"month","seats":3,"amount":49,"currency":"EUR"`)}
	}
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(events()...)))
	var reader stitch.Reader
	var warehouse stitch.Destination
	s.pull(t, &reader, &warehouse)
	require.Contains(t, fmt.Sprint(warehouse.Tables), "t1.user1")

	s.set(user(1), consent.State{Erased: &consent.Erasure{RequestID: "req_9"}})
	require.NoError(t, o.WriteBatch(t.Context(), changed("privacy.erasures", 0, user(1))))
	require.NoError(t, o.WriteBatch(t.Context(), changed("privacy.erasures", 0, user(1))), "again")
	s.pull(t, &reader, &warehouse)
	for _, personal := range []string{"t1.user1", "t1.acc1"} {
		require.NotContains(t, fmt.Sprint(warehouse.Tables), personal)
	}
	require.Len(t, warehouse.Tables["privacy_deletions"], 1)
	for _, row := range warehouse.Tables["privacy_deletions"] {
		require.Equal(t, "req_9", row["request_id"])
		require.EqualValues(t, 3, row["rows_erased"])
		require.Equal(t, row["subject_key"], o.cfg.token(user(1)))
	}

	s.set(user(1), consent.State{}) // even if the state topics lost it
	before := s.sequences(t)
	require.NoError(t, o.WriteBatch(t.Context(), chunkAt(0, 1, events()...)), "the whole topic again")
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(signedUp(10, 1, "enterprise"), touched(11, 1))), "late and newer")
	shared := touched(12, 2).with(func(e *sealedEvent) { e.rec.SubjectKey = user(2) + "," + user(1) })
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(shared)), "it is about somebody else first, and about them too")
	require.Equal(t, before, s.sequences(t))
}

func TestTheGuardHoldsWithoutTheOutput(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(touched(0, 1))))
	s.exec(t, "SELECT stage_internal.erase_subject($1, $2, 'req_1', 'p')", user(1), o.cfg.token(user(1)))
	s.exec(t, "UPDATE stitch_stage.marketing_events SET is_deleted = false, subject_key = $1", o.cfg.token(user(1)))
	require.Equal(t, 1, s.count(t, "stitch_stage.marketing_events WHERE is_deleted"))
}

func TestADriftedDatabaseIsRefused(t *testing.T) {
	s := newServer(t)
	s.exec(t, "ALTER TABLE stitch_stage.marketing_events DISABLE TRIGGER stamp")
	err := s.unconnected(t).Connect(t.Context())
	require.ErrorContains(t, err, "run `ebbgate staging plan`, then `ebbgate staging apply`: alter trigger stamp on stitch_stage.marketing_events: is disabled")
}
