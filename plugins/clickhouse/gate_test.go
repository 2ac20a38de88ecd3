package clickhouse

import (
	"errors"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/seal"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/state"
)

func says(purposes map[string]bool) consent.State {
	return consent.State{Consent: &consent.Record{Version: 8, Purposes: purposes}}
}

func TestConsentIsReadAgain(t *testing.T) {
	for name, tc := range map[string]struct {
		states map[string]consent.State
		change func(*sealedEvent)
		option option
		reason string // empty: delivered
	}{
		"no record":            {},
		"still given":          {states: map[string]consent.State{"sk10": says(map[string]bool{"analytics": true})}},
		"another purpose gone": {states: map[string]consent.State{"sk10": says(map[string]bool{"marketing": false})}},
		"withdrawn":            {states: map[string]consent.State{"sk10": says(map[string]bool{"analytics": false})}, reason: "consent.withdrawn.analytics"},
		"withdrawn by another key of the subject": {
			states: map[string]consent.State{"sk1b": says(map[string]bool{"analytics": false})},
			change: func(e *sealedEvent) { e.rec.SubjectKey = "sk10,sk1a,sk1b" }, reason: "consent.withdrawn.analytics",
		},
		"erased":     {states: map[string]consent.State{"sk10": {Erased: &consent.Erasure{Epoch: 1, State: "fenced"}}}, reason: "erased"},
		"unreadable": {states: map[string]consent.State{"sk10": {Consent: &consent.Record{Unreadable: true}}}, reason: "consent.unreadable"},
		"suppressed, which this destination does not mind": {
			states: map[string]consent.State{"sk10": {Suppressed: &consent.Suppression{Version: 1}}},
		},
		"suppressed": {
			states: map[string]consent.State{"sk10": {Suppressed: &consent.Suppression{Version: 1}}},
			option: withRules(exportRules{unlessSuppressed: true}), reason: "suppressed",
		},
		"class storage withdrawn": {
			states: map[string]consent.State{"sk10": says(map[string]bool{"marketing": false})},
			option: withRules(exportRules{storage: map[string]string{"product": "marketing"}}), reason: "consent.withdrawn.marketing",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			options := []option{withStates(tc.states)}
			if tc.option != nil {
				options = append(options, tc.option)
			}
			subject, other := newEvent(0), newEvent(1)
			if tc.change != nil {
				tc.change(subject)
			}
			require.NoError(t, s.output(t, options...).WriteBatch(t.Context(), chunkOf(subject, other)))
			if tc.reason == "" {
				assert.Equal(t, []string{"0", "1"}, s.offsets(t))
				return
			}
			assert.Equal(t, []string{"1"}, s.offsets(t), "the other subject's event goes")
			assert.Equal(t, []string{"0-1: 2 = 1 + 1 + 0 + 0"}, s.books(t))
			assert.Equal(t, []string{"evt_00000000 trial_started " + tc.reason},
				s.texts(t, "SELECT concat(denied_events[1], ' ', denied_names[1], ' ', denied_reasons[1]) FROM ebbgate_chunks"))
		})
	}
}

// TestWithdrawnWhileWaiting has a chunk that failed while consent held, and comes again after a withdrawal.
func TestWithdrawnWhileWaiting(t *testing.T) {
	s := newServer(t)
	p := newProxy(t, s.dsn)
	o := s.output(t, withDSN(p.dsn))
	p.once(insertRows, refuse)
	require.Error(t, o.WriteBatch(t.Context(), chunkOf(run(0, 6)...)))
	o.cfg.lookup = state.NewStatic(map[string]consent.State{
		"sk13": says(map[string]bool{"analytics": false}), "sk15": {Erased: &consent.Erasure{}},
	})
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(run(0, 6)...)))
	assert.Equal(t, []string{"0", "1", "2", "4", "6"}, s.offsets(t))
	assert.Equal(t, []string{"0-6: 7 = 5 + 2 + 0 + 0"}, s.books(t))
}

func TestWholeChunkDenied(t *testing.T) {
	s := newServer(t)
	states := map[string]consent.State{"sk10": {Erased: &consent.Erasure{}}}
	o := s.output(t, withStates(states))
	require.NoError(t, o.WriteBatch(t.Context(), chunkOf(newEvent(0))))
	assert.Zero(t, s.count(t, "events"))
	require.NoError(t, s.output(t).WriteBatch(t.Context(), chunkOf(newEvent(0))), "done is done: the mark stands")
	assert.Zero(t, s.count(t, "events"))
}

func TestFieldsWhosePurposeIsGoneAreLeftOut(t *testing.T) {
	s := newServer(t)
	s.exec(t, "ALTER TABLE events ADD COLUMN campaign Nullable(String), ADD COLUMN lines String, ADD COLUMN tags Array(String)")
	columns := withColumns(map[string]string{"campaign": "properties.utm_campaign", "lines": "properties.items", "tags": "properties.tags"})
	states := withStates(map[string]consent.State{"sk10": says(map[string]bool{"marketing": false})})
	rich := func(offset int64, subject string) *sealedEvent {
		return newEvent(offset).with(func(e *sealedEvent) {
			e.rec.Key, e.rec.SubjectKey = subject, subject
			e.rec.Requires = "analytics;marketing=properties.utm_campaign,properties.items[].sku,context.ip,properties.tags[];support=properties.ticket"
			e.rec.Body = []byte(`{"event_id":"` + e.rec.EventID + `","context":{"ip":"10.0.0.0"},"properties":{"plan":"a\"b","utm_campaign":"spring","items":[{"sku":"x","n":1},{"n":2}],"tags":["t"],"ticket":"T1"}}`)
		})
	}
	require.NoError(t, s.output(t, columns, states).WriteBatch(t.Context(), chunkOf(rich(0, "sk10"), rich(1, "sk11"))))
	query := "SELECT concat(ifNull(campaign, 'NULL'), '|', ip, '|', lines, '|', toString(tags), '|', properties) FROM events ORDER BY offset"
	assert.Equal(t, []string{
		`NULL||[{"n":1},{"n":2}]|[]|{"plan":"a\"b","items":[{"n":1},{"n":2}],"tags":[],"ticket":"T1"}`,
		`spring|10.0.0.0|[{"sku":"x","n":1},{"n":2}]|['t']|{"plan":"a\"b","utm_campaign":"spring","items":[{"sku":"x","n":1},{"n":2}],"tags":["t"],"ticket":"T1"}`,
	}, s.texts(t, query))
}

func TestUnsealedIsRefused(t *testing.T) {
	otherRing := keys.ForTesting("another workspace")
	for name, tc := range map[string]struct {
		spoil   func(*sealedEvent)
		message func(*service.Message)
		code    string
	}{
		"raw record":          {spoil: func(e *sealedEvent) { e.raw = true }, code: "seal.missing"},
		"another destination": {spoil: func(e *sealedEvent) { e.rec.Destination = "warehouse" }, code: "seal.destination"},
		"another topic":       {spoil: func(e *sealedEvent) { e.rec.Topic = "events.authorized.other" }, code: "seal.mismatch"},
		"seal of another workspace": {spoil: func(e *sealedEvent) {
			e.seal = seal.NewSealer(otherRing, testDestination).Seal(&e.rec)
		}, code: "seal.mismatch"},
		"changed bytes": {message: func(m *service.Message) { m.SetBytes([]byte(`{"event_id":"evt_00000000","email":"a@b.c"}`)) }, code: "seal.mismatch"},
		"raised class":  {message: func(m *service.Message) { m.MetaSet(seal.HeaderClass, "billing") }, code: "seal.mismatch"},
		"fewer purposes": {
			spoil:   func(e *sealedEvent) { e.rec.Requires = "analytics;marketing=properties.utm_campaign" },
			message: func(m *service.Message) { m.MetaSet(seal.HeaderRequires, "analytics") }, code: "seal.mismatch",
		},
		"another subject": {message: func(m *service.Message) { m.MetaSet(seal.HeaderSubjectKey, "sk19") }, code: "seal.mismatch"},
		"moved source":    {message: func(m *service.Message) { m.MetaSet(seal.HeaderSrcOffset, "1") }, code: "seal.mismatch"},
		"quarantine record": {message: func(m *service.Message) {
			stage.SetQuarantine(m, &quarantine.Record{Code: "contract.type"})
		}, code: "contract.type"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			bad := newEvent(1)
			if tc.spoil != nil {
				tc.spoil(bad)
			}
			batch := chunkOf(newEvent(0), bad, newEvent(2))
			if tc.message != nil {
				tc.message(batch[1])
			}
			o := s.output(t)
			err := o.WriteBatch(t.Context(), batch)
			var permanent *stage.PermanentError
			require.ErrorAs(t, err, &permanent)
			assert.Equal(t, tc.code, permanent.Code)
			assert.Equal(t, []quarantine.Ref{{Topic: testTopic, Offset: 1}}, permanent.Refs)
			assert.NotContains(t, err.Error(), "a@b.c")
			require.Zero(t, s.count(t, "events"), "nothing of the chunk goes in")

			// The input replays the chunk with the record in quarantine.
			again := chunkOf(newEvent(0), newEvent(1), newEvent(2))
			stage.MarkSettled(again[1])
			require.NoError(t, o.WriteBatch(t.Context(), again))
			assert.Equal(t, []string{"0", "2"}, s.offsets(t))
			assert.Equal(t, []string{"0-2: 3 = 2 + 0 + 0 + 1"}, s.books(t))
		})
	}
}

func TestUnknownKeyWaits(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	e := newEvent(0)
	e.seal = "s1.zzzz9999." + seal.NewSealer(testRing, testDestination).Seal(&e.rec)[len("s1.test0000."):]
	err := o.WriteBatch(t.Context(), chunkOf(e))
	require.ErrorIs(t, err, seal.ErrUnknownKey)
	assert.False(t, permanentError(err), "a key that is missing here is no fault of the record")
	assert.Zero(t, s.count(t, "events"))
}

func TestSealMadeInThisProcess(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	e := newEvent(0).with(func(e *sealedEvent) { e.rec.Topic = "" })
	message := func(body []byte) *service.Message {
		msg := e.with(func(e *sealedEvent) { e.raw = true }).message(&stage.Chunk{Topic: testTopic})
		stage.SetSealed(msg, &e.rec, seal.NewSealer(testRing, testDestination))
		msg.SetBytes(body)
		return msg
	}
	other := append([]byte(nil), e.rec.Body...)
	err := o.WriteBatch(t.Context(), service.MessageBatch{message(other)})
	var permanent *stage.PermanentError
	require.ErrorAs(t, err, &permanent)
	assert.Equal(t, "seal.mismatch", permanent.Code)
	require.Zero(t, s.count(t, "events"))
	require.NoError(t, o.WriteBatch(t.Context(), service.MessageBatch{message(e.rec.Body)}))
	assert.Equal(t, 1, s.count(t, "events"))
}

func TestFailedMessageStopsTheBatch(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	batch := chunkOf(run(0, 2)...)
	batch[1].SetError(errors.New("value secret@example.com is odd"))
	err := o.WriteBatch(t.Context(), batch)
	var permanent *stage.PermanentError
	require.ErrorAs(t, err, &permanent)
	assert.Equal(t, stage.CodeUpstreamFailed, permanent.Code)
	assert.Equal(t, []quarantine.Ref{{Topic: testTopic, Offset: 1}}, permanent.Refs)
	assert.NotContains(t, err.Error(), "secret")
	assert.Zero(t, s.count(t, "events"))
}

func TestMessageThatWaitsStopsTheBatch(t *testing.T) {
	s := newServer(t)
	batch := chunkOf(run(0, 2)...)
	batch[1].SetError(stage.ErrWait)
	err := s.output(t).WriteBatch(t.Context(), batch)
	require.ErrorIs(t, err, stage.ErrWait)
	assert.False(t, permanentError(err), "waiting is no fault of the record")
	assert.Zero(t, s.count(t, "events"))
}

func TestBatchThatIsNoChunk(t *testing.T) {
	s := newServer(t)
	o := s.output(t)
	foreign := chunkOf(run(0, 3)...)
	foreign[2] = chunkOf(run(2, 3)...)[0]
	rewritten := chunkOf(run(0, 3)...)
	rewritten[3].MetaSet(stage.MetaKafkaOffset, "3")
	for name, batch := range map[string]service.MessageBatch{
		"empty": {}, "no metadata": {service.NewMessage([]byte("{}"))}, "a message of another chunk": foreign, "an offset somebody set": rewritten,
	} {
		require.ErrorIs(t, o.WriteBatch(t.Context(), batch), errNoChunk, name)
	}
	assert.Zero(t, s.count(t, "events"))
}
