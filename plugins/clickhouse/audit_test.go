package clickhouse

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/stage"
)

const decisionsName = "privacy.decisions"

// decisionsOf gives the decisions that govern makes of an event: one per destination, all from one position.
func decisionsOf(n int64) (bodies [][]byte) {
	for _, d := range []consent.Decision{
		{Destination: "analytics", Verdict: consent.Allowed},
		{Destination: "activation", Verdict: consent.Denied, Reason: "consent.marketing=false"},
	} {
		d.EventID, d.EventName, d.Timestamp = fmt.Sprintf("evt_%d", n), "trial_started", "2026-04-13T09:00:00Z"
		d.Rule, d.Policy, d.ConsentVersion, d.Stage = "policy.yaml:41", "2026-11-01", 8, "govern"
		bodies = append(bodies, d.Append(nil))
	}
	return bodies
}

// auditChunk is the chunk that begins at an offset and holds the bodies; every two come of one event.
func auditChunk(topic string, first int64, bodies ...[]byte) service.MessageBatch {
	of := &stage.Chunk{Topic: topic, First: first, Last: first + int64(len(bodies)) - 1}
	var batch service.MessageBatch
	for i, body := range bodies {
		msg := service.NewMessage(body)
		msg.MetaSet(stage.MetaKafkaKey, "sk1ada")
		msg.MetaSet(stage.MetaKafkaTimestamp, strconv.FormatInt(1_790_000_000_000+int64(i), 10))
		origin := quarantine.Ref{Topic: "inbound.events", Offset: int64(i / 2)}
		stage.SetPosition(msg, &stage.Position{Chunk: of, Offset: first + int64(i), Origin: origin})
		batch = append(batch, msg)
	}
	return batch
}

func forAudit(t *testing.T) option {
	t.Helper()
	a, err := newAudit(decisionsName)
	require.NoError(t, err)
	return func(c *config) {
		c.audit, c.destination, c.table, c.verifier, c.lookup = a, auditDestination, "audit_decision_rows", nil, nil
	}
}

const auditRows = "SELECT concat(event_id, ' ', destination, ' ', verdict, ' ', reason, ' ', rule, ' ', policy, ' ', toString(consent_version), ' ', stage, ' ', subject_key) FROM audit_decision_rows ORDER BY offset"

func TestDecisionsLandOnce(t *testing.T) {
	s := newServer(t)
	bodies := append(decisionsOf(0), decisionsOf(1)...)
	want := []string{
		"evt_0 analytics allowed  policy.yaml:41 2026-11-01 8 govern sk1ada",
		"evt_0 activation denied consent.marketing=false policy.yaml:41 2026-11-01 8 govern sk1ada",
		"evt_1 analytics allowed  policy.yaml:41 2026-11-01 8 govern sk1ada",
		"evt_1 activation denied consent.marketing=false policy.yaml:41 2026-11-01 8 govern sk1ada",
	}
	o := s.output(t, forAudit(t))
	require.NoError(t, o.WriteBatch(t.Context(), auditChunk(decisionsName, 0, bodies...)))
	require.Equal(t, want, s.texts(t, auditRows))

	require.NoError(t, o.WriteBatch(t.Context(), auditChunk(decisionsName, 0, bodies...)), "the same process again")
	s.exec(t, "TRUNCATE TABLE ebbgate_chunks") // as if it had been killed before the mark
	killed := s.output(t, forAudit(t))
	require.NoError(t, killed.WriteBatch(t.Context(), auditChunk(decisionsName, 0, bodies...)), "another process, the mark lost")
	require.NoError(t, killed.WriteBatch(t.Context(), auditChunk(decisionsName, 4, bodies...)), "copies a hop made at new offsets")
	assert.Equal(t, want, s.texts(t, auditRows))
	assert.Equal(t, []string{"0-3: 4 = 4 + 0 + 0 + 0", "4-7: 4 = 0 + 0 + 4 + 0"}, s.books(t))
}

func TestWhatIsNoDecisionIsNamed(t *testing.T) {
	s := newServer(t)
	o := s.output(t, forAudit(t))
	good := decisionsOf(0)
	bad := []byte(`{"decision_id":"dec_x","email":"ada@example.com"}`)
	err := o.WriteBatch(t.Context(), auditChunk(decisionsName, 0, good[0], bad))
	var permanent *stage.PermanentError
	require.ErrorAs(t, err, &permanent)
	assert.Equal(t, consent.CodeDecisionField, permanent.Code)
	assert.Equal(t, []quarantine.Ref{{Topic: decisionsName, Offset: 1}}, permanent.Refs)
	assert.NotContains(t, err.Error(), "ada@")
	assert.Zero(t, s.count(t, "audit_decision_rows"))

	batch := auditChunk(decisionsName, 0, good[0], bad)
	stage.MarkSettled(batch[1])
	require.NoError(t, o.WriteBatch(t.Context(), batch), "once it is in quarantine the others go")
	assert.Equal(t, []string{"0-1: 2 = 1 + 0 + 0 + 1"}, s.books(t))
}

func TestAuditTakesDecisionsAlone(t *testing.T) {
	s := newServer(t)
	err := s.output(t, forAudit(t)).WriteBatch(t.Context(), auditChunk("events.validated", 0, decisionsOf(0)...))
	require.ErrorContains(t, err, "read privacy.decisions")
	var permanent *stage.PermanentError
	assert.NotErrorAs(t, err, &permanent, "the records are not at fault, so they wait")
	assert.Zero(t, s.count(t, "audit_decision_rows"))

	// The output for events still takes nothing without a seal, decisions included.
	err = s.output(t).WriteBatch(t.Context(), auditChunk(decisionsName, 0, decisionsOf(0)...))
	require.ErrorAs(t, err, &permanent)
	assert.Equal(t, "seal.missing", permanent.Code)
}
