package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/stage"
)

func newTestProcessor(t *testing.T, yaml string) *processor {
	t.Helper()
	t.Chdir(filepath.Join("..", ".."))
	file := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, keys.Init(file))
	t.Setenv(keys.EnvironmentVariable, file)
	conf, err := processorSpec().ParseYAML(yaml, nil)
	require.NoError(t, err)
	p, err := newProcessor(conf, service.MockResources())
	require.NoError(t, err)
	return p
}

var now = time.Now().UTC().Format(time.RFC3339)

func message(members string) *service.Message {
	msg := service.NewMessage(fmt.Appendf(nil, `{"event_name":"signed_up","timestamp":%q,"subject":{"user_id":"u_1"},"context":{"source":"web_app"}%s}`, now, members))
	msg.MetaSet(stage.MetaKafkaTimestamp, "1767225600123")
	return msg
}

type envelope struct {
	EventID    string `json:"event_id"`
	ReceivedAt string `json:"received_at"`
}

func stamp(t *testing.T, p *processor, msg *service.Message) envelope {
	t.Helper()
	out, err := p.ProcessBatch(context.Background(), service.MessageBatch{msg})
	require.NoError(t, err)
	body, err := out[0][0].AsBytes()
	require.NoError(t, err)
	var e envelope
	require.NoError(t, json.Unmarshal(body, &e))
	id, _ := out[0][0].MetaGet(stage.MetaEventID)
	require.Equal(t, e.EventID, id)
	return e
}

func TestARetriedEventGetsTheSameID(t *testing.T) {
	p := newTestProcessor(t, "")
	first := stamp(t, p, message(`,"properties":{"a":1,"b":"x"}`))
	require.Regexp(t, `^evt_[0-9a-v]{26}$`, first.EventID)
	require.Equal(t, first, stamp(t, p, message(`,"properties":{"a":1,"b":"x"}`)))
	require.Equal(t, first.EventID, stamp(t, p, message(`,"properties":{"b":"\u0078","a":1}`)).EventID, "order and escapes are not content")
	require.NotEqual(t, first.EventID, stamp(t, p, message(`,"properties":{"a":2,"b":"x"}`)).EventID)
}

func TestWhereTheIDComesFrom(t *testing.T) {
	p := newTestProcessor(t, `provider_id: ${! @delivery.or("") }`)
	require.Equal(t, "evt_own", stamp(t, p, message(`,"event_id":"evt_own"`)).EventID, "the source's own id is kept")
	one, other := message(`,"properties":{"a":1}`), message(`,"properties":{"a":2}`)
	one.MetaSet("delivery", "d-1")
	other.MetaSet("delivery", "d-1")
	require.Equal(t, stamp(t, p, one).EventID, stamp(t, p, other).EventID, "the provider's id decides, not the body")
}

func TestArrivalIsTheBrokersTime(t *testing.T) {
	p := newTestProcessor(t, "")
	require.Equal(t, "2026-01-01T00:00:00.123Z", stamp(t, p, message("")).ReceivedAt)
	require.Equal(t, now, stamp(t, p, message(`,"received_at":"`+now+`"`)).ReceivedAt)
}

func TestSubjectsAppearAsPseudonymsOnly(t *testing.T) {
	p := newTestProcessor(t, "")
	msg := message("")
	stamp(t, p, msg)
	key, _ := msg.MetaGet(stage.MetaKey)
	subject, _ := msg.MetaGet(stage.MetaSubjectKey)
	require.Equal(t, key, subject)
	require.Equal(t, p.ring.SubjectPseudonym("user_id", "u_1"), key)
	topic, _ := msg.MetaGet(stage.MetaTopic)
	require.Equal(t, "events.raw", topic)
}

func TestPartsOfOneRecordMayNotShareAnID(t *testing.T) {
	p := newTestProcessor(t, `provider_id: '${! @delivery }'`)
	part := func(offset int64, name string) *service.Message {
		msg := message(`,"properties":{"part":"` + name + `"}`)
		msg.MetaSet("delivery", "d_1")
		stage.SetPosition(msg, &stage.Position{Chunk: &stage.Chunk{Topic: "inbound.events"}, Offset: offset})
		return msg
	}
	out, err := p.ProcessBatch(context.Background(), service.MessageBatch{part(7, "a"), part(7, "b"), part(8, "a")})
	require.NoError(t, err)
	var codes []string
	for _, msg := range out[0] {
		rec, _ := stage.Quarantine(msg)
		if rec == nil {
			codes = append(codes, "")
			continue
		}
		codes = append(codes, rec.Code)
	}
	require.Equal(t, []string{"", "identity.shared_provider_id", ""}, codes, "a record that is sent again is a repeat; a second part is none")
}
