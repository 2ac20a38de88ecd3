package strict

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/quarantine"
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

// check returns what becomes of a body: the bytes that pass, or a code.
func check(t *testing.T, p *processor, body string) (results []string) {
	t.Helper()
	msg := service.NewMessage([]byte(body))
	msg.MetaSet("webhook_source", "mail")
	stage.SetPosition(msg, &stage.Position{Chunk: &stage.Chunk{Topic: "inbound.webhooks", Partition: 2}, Offset: 7})
	out, err := p.ProcessBatch(context.Background(), service.MessageBatch{msg, service.NewMessage([]byte(`{}`))})
	require.NoError(t, err)
	require.Len(t, out, 1)
	last := len(out[0]) - 1
	for _, msg := range out[0][:last] {
		require.NoError(t, msg.GetError())
		source, _ := msg.MetaGet("webhook_source")
		require.Equal(t, "mail", source)
		text, err := msg.AsBytes()
		require.NoError(t, err)
		result := string(text)
		if rec, ok := stage.Quarantine(msg); ok {
			require.Equal(t, quarantine.Ref{Topic: "inbound.webhooks", Partition: 2, Offset: 7}, rec.Ref)
			result = rec.Code
		} else if at, ok := stage.Source(msg); ok {
			require.EqualValues(t, 7, at.Offset)
		}
		results = append(results, result)
	}
	text, err := out[0][last].AsBytes()
	require.NoError(t, err)
	require.Equal(t, "{}", string(text), "its neighbour goes on")
	return results
}

func TestAnArrayIsRefusedUnlessItIsToBeSplit(t *testing.T) {
	require.Equal(t, []string{event.CodeNotObject}, check(t, newTestProcessor(t, ""), `[{"a":1}]`))
}

func TestElementsGoTheirOwnWays(t *testing.T) {
	p := newTestProcessor(t, "arrays: split")
	for body, want := range map[string][]string{
		` [ {"a": 1.50} ,{"b":"\u0041"}]`: {`{"a": 1.50}`, `{"b":"\u0041"}`},
		`[{"a":1,"a":2},{"b":2}]`:         {event.CodeDuplicateName, `{"b":2}`},
		`[[{"a":1}],7,null,{"b":2}]`:      {event.CodeNotObject, event.CodeNotObject, event.CodeNotObject, `{"b":2}`},
		`[{"a":"\ud800"},{"b":2}]`:        {event.CodeSurrogate, `{"b":2}`},
		`[]`:                              {event.CodeEmpty},
		`[{"a":1}`:                        {event.CodeSyntax},
		`[{"a":1}]]`:                      {event.CodeSyntax},
		`{"a":[{}]}`:                      {`{"a":[{}]}`},
		`7`:                               {event.CodeNotObject},
		"[" + strings.Repeat("{},", maxElements) + "{}]":              {event.CodeTooLarge},
		"[" + strings.Repeat(" ", event.DefaultLimits.MaxBytes) + "]": {event.CodeTooLarge},
	} {
		require.Equal(t, want, check(t, p, body), "%.40s", body)
	}
}
