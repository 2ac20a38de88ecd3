package strict

import (
	"bytes"
	"encoding/json"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/event"
)

// elements appends a message for each element of an array, and the message itself where it is none. Only the ends of the
// elements are looked for here, on which all parsers agree: what is in them is for the strict scanner.
func (p *processor) elements(msg *service.Message, out service.MessageBatch) (service.MessageBatch, error) {
	body, err := msg.AsBytes()
	if err != nil {
		return out, err
	}
	if !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")) {
		return append(out, msg), nil
	}
	if len(body) > p.limits.MaxBytes {
		return out, &event.Fault{Code: event.CodeTooLarge, Remedy: "send fewer events in one array"}
	}
	var list []json.RawMessage
	if err := json.Unmarshal(body, &list); err != nil {
		return out, &event.Fault{Code: event.CodeSyntax, Remedy: "send one array of JSON objects that follows RFC 8259"}
	}
	switch {
	case len(list) == 0:
		return out, &event.Fault{Code: event.CodeEmpty, Remedy: "send at least one event in the array"}
	case len(list) > maxElements:
		return out, &event.Fault{Code: event.CodeTooLarge, Remedy: "send fewer events in one array"}
	}
	for _, element := range list {
		part := msg.Copy()
		part.SetBytes(element)
		out = append(out, part)
	}
	return out, nil
}

// maxElements bounds what one record may become: each element costs the memory of a message.
const maxElements = 10_000
