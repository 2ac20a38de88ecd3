package segment

import "github.com/ebbgate/ebbgate/internal/event"

// AppendSettings appends the document that browser and mobile SDKs ask for before they send anything: everything goes to this
// door, nothing to a vendor.
func AppendSettings(dst []byte, writeKey string) []byte {
	dst = append(dst, `{"integrations":{"Segment.io":{"apiKey":`...)
	dst = event.AppendString(dst, []byte(writeKey))
	return append(dst, `,"versionSettings":{"version":"4.4.7","componentTypes":["browser"]}}},`+
		`"plan":{"track":{"__default":{"enabled":true}},"identify":{"__default":{"enabled":true}},"group":{"__default":{"enabled":true}}},`+
		`"analyticsNextEnabled":true}`...)
}
