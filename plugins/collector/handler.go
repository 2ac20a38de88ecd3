package collector

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/door"
	"github.com/ebbgate/ebbgate/internal/segment"
	"github.com/ebbgate/ebbgate/internal/stage"
)

func (in *input) serve(w http.ResponseWriter, r *http.Request) {
	allowed := in.allowOrigin(w, r)
	if r.Method == http.MethodOptions {
		in.preflight(w, r, allowed)
		return
	}
	src, refusal := in.answer(w, r)
	if refusal != nil {
		in.metrics.refused.Incr(1, nameOf(src), refusal.Code)
		refusal.Write(w)
	}
}

func nameOf(src *source) string {
	if src == nil {
		return unknownSource
	}
	return src.Name
}

// answer answers a request, or says how it is to be refused. The source is nil where the request does not show it.
func (in *input) answer(w http.ResponseWriter, r *http.Request) (*source, *door.Refusal) {
	path, here := strings.CutPrefix(r.URL.Path, in.path)
	route, ok := segment.ParseRoute(r.Method, path)
	if !here || !ok {
		return nil, door.RefusePath
	}
	switch route.Kind {
	case segment.Settings, segment.SourceConfig:
		return in.configure(w, r, route)
	case segment.ClusterInfo:
		writeJSON(w, []byte(segment.ClusterInfoBody))
		return nil, nil
	case segment.Discard:
		writeJSON(w, success)
		return nil, nil
	}
	return in.take(w, r, route)
}

// take takes a request's events. A key outside the body is looked at before the body is read.
func (in *input) take(w http.ResponseWriter, r *http.Request, route segment.Route) (src *source, refusal *door.Refusal) {
	begin := in.now()
	correlation := door.CorrelationID(r)
	w.Header().Set(door.HeaderCorrelationID, correlation)
	if key := keyOf(r, route); key != "" {
		src = in.sources.of([]byte(key))
		if refusal := in.mayUse(src, r); refusal != nil {
			return src, refusal
		}
	}
	body, refusal := in.body(w, r, route)
	if refusal != nil {
		return src, refusal
	}
	defer in.memory.Give(int64(len(body)))
	_, readers := in.mapping.Now()
	reader := readers.get()
	defer readers.put(reader)
	fault := reader.Open(route, body)
	if src == nil && fault == nil {
		src = in.sources.of(reader.WriteKey())
		if refusal := in.mayUse(src, r); refusal != nil {
			return src, refusal
		}
	}
	if fault != nil {
		return src, refuseBody(fault)
	}
	if refusal := src.admission.Enter(begin); refusal != nil {
		return src, refusal
	}
	defer src.admission.Leave()
	if tries := r.Header.Get("X-Retry-Count"); tries != "" && tries != "0" {
		in.metrics.retries.Incr(1, src.Name)
	}
	request := in.request(r, begin, correlation)
	if refusal := in.store(r.Context(), src, request, reader.Map(&src.Source, request, nil)); refusal != nil {
		return src, refusal
	}
	in.metrics.durable.Timing(int64(in.now().Sub(begin)), src.Name)
	succeed(w, route)
	return src, nil
}

// mayUse says whether a source may send this request.
func (in *input) mayUse(src *source, r *http.Request) *door.Refusal {
	switch {
	case src == nil:
		return refuseKey
	case src.disabled:
		return refuseDisabled
	case !src.allows(r.Header.Get("Origin")):
		return refuseOrigin
	}
	return nil
}

// body is what the events stand in; of a pixel, the query.
func (in *input) body(w http.ResponseWriter, r *http.Request, route segment.Route) ([]byte, *door.Refusal) {
	if route.Kind != segment.Pixel {
		return door.ReadBody(w, r, in.door.Body, in.memory)
	}
	data := segment.PixelData(r.URL.Query(), in.now())
	if !in.memory.Take(int64(len(data))) {
		return nil, door.RefuseBusy
	}
	return data, nil
}

func (in *input) request(r *http.Request, at time.Time, correlation string) *segment.Request {
	return &segment.Request{
		ReceivedAt: at, CorrelationID: correlation, IP: in.door.Proxies.Client(r), UserAgent: r.UserAgent(),
		GPC: strings.TrimSpace(r.Header.Get("Sec-GPC")) == "1",
	}
}

// store makes a request's outcomes durable.
func (in *input) store(ctx context.Context, src *source, request *segment.Request, outcomes []segment.Outcome) *door.Refusal {
	landing := &stage.Landing{}
	batch := make(service.MessageBatch, len(outcomes))
	refused, removed := 0, 0
	for i := range outcomes {
		o := &outcomes[i]
		batch[i] = in.message(o, request.CorrelationID)
		stage.AskLanding(batch[i], landing)
		removed += o.Removed
		if o.Fault != nil {
			refused++
		}
	}
	ctx, cancel := context.WithTimeout(ctx, in.door.AnswerTimeout)
	defer cancel()
	if err := in.handover.Deliver(ctx, batch); err != nil {
		return door.RefuseNotDurable
	}
	if landing.Times() < len(batch) {
		in.log.Error("events were acknowledged, but written nowhere: end the collector's stream with one redpanda output that writes to ${! @topic }, and drop no events before it")
		return door.RefuseNotDurable
	}
	in.metrics.events.Incr(int64(len(batch)-refused), src.Name, "accepted")
	in.metrics.events.Incr(int64(refused), src.Name, "quarantined")
	in.metrics.removed.Incr(int64(removed), src.Name)
	return nil
}

// keyOf is the write key of a request outside its body, empty where it has none: the user of Basic authorization, or, where
// the route has it there, in the query. Where a header says something, nothing else counts.
func keyOf(r *http.Request, route segment.Route) string {
	for _, line := range r.Header.Values("Authorization") {
		scheme, text, _ := strings.Cut(line, " ")
		if !strings.EqualFold(scheme, "Basic") {
			continue
		}
		decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		key, _, _ := strings.Cut(string(decoded), ":")
		if err != nil || key == "" {
			return " " // nobody's
		}
		return key
	}
	if route.KeyInQuery {
		return r.URL.Query().Get("writeKey")
	}
	return ""
}
