package segment

import "strings"

// Type is a call of the API.
type Type uint8

// The types of call.
const (
	Track Type = iota + 1
	Identify
	Page
	Screen
	Group
	Alias
)

var typeNames = [...]string{Track: "track", Identify: "identify", Page: "page", Screen: "screen", Group: "group", Alias: "alias"}

// String gives the type as SDKs write it.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return ""
}

func typeOf(name []byte) Type {
	for t := Track; t <= Alias; t++ {
		if string(name) == typeNames[t] {
			return t
		}
	}
	return 0
}

// Kind is what a route does.
type Kind uint8

// The kinds of route.
const (
	Single       Kind = iota + 1 // one event of the route's Type
	Batch                        // many events, each with its type
	Pixel                        // one event, in the query: see PixelData; answer with an image
	Settings                     // answer with AppendSettings
	SourceConfig                 // RudderStack's settings: answer with AppendSourceConfig
	ClusterInfo                  // how many nodes a RudderStack server SDK may spread over: answer with ClusterInfoBody
	Discard                      // the SDK's figures about itself: answer 200
)

// Route is one place of the API.
type Route struct {
	Kind     Kind
	Type     Type   // of Single and Pixel
	WriteKey string // of Settings, as the path has it
	// KeyInQuery is where the query may name the write key, as writeKey: of requests that cannot have a header.
	KeyInQuery bool
}

// ParseRoute finds the route of a request. Paths work with and without /v1 in front, in full and in the short forms that
// browsers use, because SDKs are given a host, or a host and /v1.
func ParseRoute(method, path string) (Route, bool) {
	name := strings.TrimPrefix(strings.Trim(path, "/"), "v1/")
	switch method {
	case "POST":
		return posted(name)
	case "GET":
		return asked(name)
	}
	return Route{}, false
}

func posted(name string) (Route, bool) {
	switch name {
	case "batch", "b", "import":
		return Route{Kind: Batch}, true
	case "beacon/v1/batch":
		return Route{Kind: Batch, KeyInQuery: true}, true
	case "merge": // of RudderStack, who merges profiles by it: it is refused as an event, not as a request
		return Route{Kind: Single}, true
	case "m":
		return Route{Kind: Discard}, true
	}
	for t := Track; t <= Alias; t++ {
		if name == typeNames[t] || name == typeNames[t][:1] {
			return Route{Kind: Single, Type: t}, true
		}
	}
	return Route{}, false
}

func asked(name string) (Route, bool) {
	switch name {
	case "sourceConfig":
		return Route{Kind: SourceConfig, KeyInQuery: true}, true
	case "cluster-info":
		return Route{Kind: ClusterInfo}, true
	}
	if key, ok := strings.CutPrefix(name, "projects/"); ok {
		key, ok = strings.CutSuffix(key, "/settings")
		return Route{Kind: Settings, WriteKey: key}, ok && key != "" && !strings.Contains(key, "/")
	}
	name, ok := strings.CutPrefix(name, "pixel/")
	t := typeOf([]byte(strings.TrimPrefix(name, "v1/")))
	return Route{Kind: Pixel, Type: t, KeyInQuery: true}, ok && t != 0
}
