package collector

import (
	"net/http"
	"slices"
	"strings"
)

// What pages of other origins may send and read.
var (
	requestHeaders = []string{
		"accept", "anonymousid", "authorization", "content-encoding", "content-type", "sentat", "traceparent", "tracestate",
		"x-correlation-id", "x-retry-count", "x-write-key",
	}
	readableHeaders = "Retry-After, X-RateLimit-Reset, X-Correlation-Id"
	preflightAge    = "7200" // seconds; browsers keep it no longer
)

// vendorHeaders begin the names of headers that RudderStack's SDKs add.
const vendorHeaders = "rsa-"

// allows reports whether a page of that origin may send. Requests without one come from no page.
func (s *source) allows(origin string) bool {
	return !s.Browser || origin == "" || slices.Contains(s.origins, "*") || slices.Contains(s.origins, origin)
}

// allowOrigin lets a page read the answer if any browser source has its origin. A preflight does not say whose key will come.
func (in *input) allowOrigin(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.ContainsFunc(in.sources.list, func(s *source) bool { return s.Browser && s.allows(origin) }) {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Expose-Headers", readableHeaders)
	return true
}

// preflight answers what a browser asks before it sends.
func (in *input) preflight(w http.ResponseWriter, r *http.Request, allowed bool) {
	if allowed {
		w.Header().Set("Access-Control-Allow-Methods", "GET, POST")
		w.Header().Set("Access-Control-Allow-Headers", strings.Join(known(r.Header.Values("Access-Control-Request-Headers")), ", "))
		w.Header().Set("Access-Control-Max-Age", preflightAge)
	}
	w.WriteHeader(http.StatusNoContent)
}

// known are the headers asked for that may be sent.
func known(asked []string) (names []string) {
	for name := range strings.SplitSeq(strings.Join(asked, ","), ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		if slices.Contains(requestHeaders, name) || strings.HasPrefix(name, vendorHeaders) && isToken(name) {
			names = append(names, name)
		}
	}
	return names
}

func isToken(name string) bool {
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
