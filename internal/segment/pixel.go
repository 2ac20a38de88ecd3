package segment

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"time"
)

// keyParameter is where a query has the write key.
const keyParameter = "writeKey"

// PixelData is what Open takes for a Pixel: the query's data, as Segment has it, or else the query itself, as RudderStack has it,
// whose names are paths such as context.page.title. Nobody sends a pixel again, so two requests that say the same are two
// events: a query without messageId has the time it was received at.
func PixelData(query url.Values, receivedAt time.Time) []byte {
	if query.Has("data") {
		return []byte(query.Get("data"))
	}
	call := map[string]any{}
	for name, values := range query {
		if name != keyParameter && !place(call, strings.Split(name, "."), values[0]) {
			return []byte("?") // nothing that Open would take
		}
	}
	if !query.Has("messageId") && !query.Has("timestamp") {
		call["timestamp"] = receivedAt.UTC().Format(time.RFC3339Nano)
	}
	text, err := json.Marshal(call)
	if err != nil {
		return []byte("?")
	}
	return []byte(base64.StdEncoding.EncodeToString(text))
}

// place puts a text at a path; false where something else stands in the way.
func place(object map[string]any, path []string, text string) bool {
	name, rest := path[0], path[1:]
	if len(rest) == 0 {
		_, taken := object[name]
		object[name] = text
		return !taken
	}
	if object[name] == nil {
		object[name] = map[string]any{}
	}
	inner, ok := object[name].(map[string]any)
	return ok && place(inner, rest, text)
}
