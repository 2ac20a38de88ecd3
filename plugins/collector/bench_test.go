package collector

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/quarantine"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/writekey"
)

// BenchmarkBatch is the door's own part of a batch of 100 events of 1 KB: from the request's body to messages whose durability the
// engine tells at once.
func BenchmarkBatch(b *testing.B) {
	file := filepath.Join(b.TempDir(), "keys")
	require.NoError(b, keys.Init(file))
	b.Setenv(keys.EnvironmentVariable, file)
	conf, err := inputSpec().ParseYAML(`
address: 127.0.0.1:0
workspace: ../../pipelines
sources: [ { name: backend, kind: server, write_keys: [ { id: main, sha256: "`+writekey.HashOf("wk").String()+`" } ] } ]
`, nil)
	require.NoError(b, err)
	in, err := newInput(conf, service.MockResources())
	require.NoError(b, err)
	b.Cleanup(func() { _ = in.Close(b.Context()) })
	go func() {
		for {
			batch, ack, err := in.ReadBatch(b.Context())
			if err != nil {
				return
			}
			for _, msg := range batch {
				landAll(msg)
			}
			_ = ack(b.Context(), nil)
		}
	}()
	var events []string
	for i := range 100 {
		events = append(events, fmt.Sprintf(`{"type":"track","messageId":"m-%d","userId":"u_1","anonymousId":"a_1","event":"Feature Used",`+
			`"properties":{"feature":"export","search_query":%q},"context":{"locale":"en-GB","consent":{"categoryPreferences":{"Analytics":true}}},`+
			`"timestamp":"2026-11-24T10:00:00.000Z","_metadata":{"nodeVersion":"20"}}`, i, strings.Repeat("x", 700)))
	}
	body := []byte(`{"batch":[` + strings.Join(events, ",") + `],"sentAt":"2026-11-24T10:00:00.000Z"}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/v1/batch", bytes.NewReader(body))
		r.SetBasicAuth("wk", "")
		w := httptest.NewRecorder()
		in.serve(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body.String())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/event")
}

// landAll says of a message what an output says once its record is durable.
func landAll(msg *service.Message) { stage.Land(msg, quarantine.Ref{Topic: "events.raw"}) }
