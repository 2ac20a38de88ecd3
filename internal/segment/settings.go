package segment

import "github.com/ebbgate/ebbgate/internal/event"

// AppendSettings appends the document that browser and mobile SDKs ask for before they send anything: everything goes to this
// door, nothing to a vendor. host is the door's own, with the path before the routes, as the SDK is to reach it, such as
// `events.example.com/v1`; empty leaves it to the SDK's own configuration.
func AppendSettings(dst []byte, writeKey, scheme, host string) []byte {
	dst = append(dst, `{"integrations":{"Segment.io":{"apiKey":`...)
	dst = event.AppendString(dst, []byte(writeKey))
	if host != "" {
		dst = event.AppendString(append(dst, `,"apiHost":`...), []byte(host))
		dst = event.AppendString(append(dst, `,"protocol":`...), []byte(scheme))
	}
	return append(dst, `,"versionSettings":{"version":"4.4.7","componentTypes":["browser"]}}},`+
		`"plan":{"track":{"__default":{"enabled":true}},"identify":{"__default":{"enabled":true}},"group":{"__default":{"enabled":true}}},`+
		`"analyticsNextEnabled":true}`...)
}

// AppendSourceConfig appends what RudderStack's SDKs ask for: a source that is on and has no destinations of its own.
func AppendSourceConfig(dst []byte, source, writeKey string) []byte {
	dst = event.AppendString(append(dst, `{"source":{"id":`...), []byte(source))
	dst = event.AppendString(append(dst, `,"name":`...), []byte(source))
	dst = event.AppendString(append(dst, `,"writeKey":`...), []byte(writeKey))
	return append(dst, `,"enabled":true,"config":{"statsCollection":{"errors":{"enabled":false},"metrics":{"enabled":false}}},"connections":[],"destinations":[]}}`...)
}

// ClusterInfoBody says that there is one place to send to.
const ClusterInfoBody = `{"nodeCount":1}`
