package hop

import (
	"encoding/hex"

	"go.opentelemetry.io/otel/trace"
)

// HeaderTraceparent is the record header that names the span which wrote the record, as W3C Trace Context defines it. It
// stands beside the seal and is not covered by it: it says nothing of an event, and no decision rests on it.
const HeaderTraceparent = "traceparent"

// The one form we write and read: version 00, both ids in lower case, the flags.
const (
	traceparentSize = 2 + 1 + 32 + 1 + 16 + 1 + 2
	atTraceID       = 3
	atSpanID        = 36
	atFlags         = 53
)

// appendTraceparent writes the header's value.
func appendTraceparent(dst []byte, sc trace.SpanContext) []byte {
	traceID, spanID := sc.TraceID(), sc.SpanID()
	dst = append(dst, "00-"...)
	dst = hex.AppendEncode(dst, traceID[:])
	dst = append(dst, '-')
	dst = hex.AppendEncode(dst, spanID[:])
	dst = append(dst, '-')
	return hex.AppendEncode(dst, []byte{byte(sc.TraceFlags())})
}

// readTraceparent accepts only what appendTraceparent could have written. Anything else is as good as no header.
func readTraceparent(text []byte) (sc trace.SpanContext, ok bool) {
	if len(text) != traceparentSize || string(text[:atTraceID]) != "00-" || text[atSpanID-1] != '-' || text[atFlags-1] != '-' {
		return sc, false
	}
	traceID, err := trace.TraceIDFromHex(string(text[atTraceID : atSpanID-1]))
	if err != nil {
		return sc, false
	}
	spanID, err := trace.SpanIDFromHex(string(text[atSpanID : atFlags-1]))
	if err != nil {
		return sc, false
	}
	var flags [1]byte
	if _, err := hex.Decode(flags[:], text[atFlags:]); err != nil || hex.EncodeToString(flags[:]) != string(text[atFlags:]) {
		return sc, false
	}
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: traceID, SpanID: spanID, TraceFlags: trace.TraceFlags(flags[0]) & trace.FlagsSampled, Remote: true,
	}), true
}
