package door

import (
	"math"
	"net/http"
	"strconv"
	"time"
)

// Refusal is an answer other than 2xx. Its texts are fixed: an answer never repeats what was sent.
type Refusal struct {
	Status int
	// Code is one of a closed set and serves as a metric's label.
	Code    string
	Message string
	// RetryAfter is when to send again; zero where sending again does not help.
	RetryAfter time.Duration
}

// What both inputs refuse.
var (
	RefuseTooLarge    = &Refusal{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large", Message: "the body is larger than this endpoint takes"}
	RefuseEncoding    = &Refusal{Status: http.StatusUnsupportedMediaType, Code: "content_encoding", Message: "send the body as it is, or with one layer of gzip"}
	RefuseCompression = &Refusal{Status: http.StatusBadRequest, Code: "bad_gzip", Message: "the body is not what its Content-Encoding says"}
	RefuseIncomplete  = &Refusal{Status: http.StatusBadRequest, Code: "incomplete_body", Message: "the body ended early or came too slowly"}
	RefuseMethod      = &Refusal{Status: http.StatusMethodNotAllowed, Code: "method", Message: "this path takes another method"}
	RefusePath        = &Refusal{Status: http.StatusNotFound, Code: "path", Message: "there is nothing at this path"}
	RefuseRate        = &Refusal{Status: http.StatusTooManyRequests, Code: "rate_limited", Message: "too many requests of this source: send again later", RetryAfter: time.Second}
	RefuseBusy        = &Refusal{Status: http.StatusServiceUnavailable, Code: "busy", Message: "too much is on its way at the moment: send again", RetryAfter: time.Second}
	// RefuseNotDurable leaves open whether the request will turn up after all; ids see to it that it counts once.
	RefuseNotDurable = &Refusal{Status: http.StatusServiceUnavailable, Code: "not_durable", Message: "not stored yet: send again", RetryAfter: 5 * time.Second}
)

// Write answers a request with it.
func (f *Refusal) Write(w http.ResponseWriter) {
	if f.RetryAfter > 0 {
		seconds := strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds())))
		w.Header().Set("Retry-After", seconds)
		w.Header().Set("X-RateLimit-Reset", seconds)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.Status)
	_, _ = w.Write([]byte(`{"success":false,"code":"` + f.Code + `","message":"` + f.Message + `"}`))
}

// After is the refusal with another time to wait.
func (f *Refusal) After(wait time.Duration) *Refusal {
	later := *f
	later.RetryAfter = wait
	return &later
}
