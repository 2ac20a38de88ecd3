package collector

import (
	"net/http"

	"github.com/ebbgate/ebbgate/internal/door"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/segment"
)

var (
	refuseKey      = &door.Refusal{Status: http.StatusUnauthorized, Code: "unknown_write_key", Message: "send the write key of a source"}
	refuseDisabled = &door.Refusal{Status: http.StatusForbidden, Code: "source_disabled", Message: "this source is disabled"}
	refuseOrigin   = &door.Refusal{Status: http.StatusForbidden, Code: "origin", Message: "pages of this origin may not send for this source"}
)

// invalid is the answer to a body that cannot be taken apart. Its code is the one SDKs know.
const invalid = "invalid_request"

// refuseBody says what is wrong with a whole body, in fixed words.
func refuseBody(fault *event.Fault) *door.Refusal {
	said := "send one JSON object that follows RFC 8259"
	switch fault.Code {
	case segment.CodeEmptyBatch, segment.CodeNoBatch, segment.CodePixel:
		said = fault.Remedy
	case segment.CodeBatchTooLarge, segment.CodeTooManyEvents:
		said = "send fewer events at once"
	}
	return &door.Refusal{Status: http.StatusBadRequest, Code: invalid, Message: said}
}

func writeJSON(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body)
}

var success = []byte(`{"success":true}`)

// onePixel is a GIF of one transparent pixel.
var onePixel = []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")

// succeed answers a request whose events are durable.
func succeed(w http.ResponseWriter, route segment.Route) {
	if route.Kind != segment.Pixel {
		writeJSON(w, success)
		return
	}
	w.Header().Set("Content-Type", "image/gif")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(onePixel)
}

// configure answers an SDK that asks what to do before it sends.
func (in *input) configure(w http.ResponseWriter, r *http.Request, route segment.Route) (*source, *door.Refusal) {
	key := route.WriteKey
	if route.Kind == segment.SourceConfig {
		key = keyOf(r, route)
	}
	src := in.sources.of([]byte(key))
	if refusal := in.mayUse(src, r); refusal != nil {
		return src, refusal
	}
	w.Header().Set("Cache-Control", "no-cache")
	if route.Kind == segment.SourceConfig {
		writeJSON(w, segment.AppendSourceConfig(nil, src.Name, key))
	} else {
		writeJSON(w, segment.AppendSettings(nil, key, in.scheme, in.host))
	}
	return src, nil
}
