package door

import (
	"crypto/rand"
	"net/http"
	"strings"
)

// HeaderCorrelationID is where a sender may name a correlation id, and where every answer does.
const HeaderCorrelationID = "X-Correlation-Id"

// HeaderReceiptID names the receipt of a request in its answer.
const HeaderReceiptID = "X-Receipt-Id"

// CorrelationID returns the id under which a request is followed: the trace id of its traceparent, else what it names, else
// a new one.
func CorrelationID(r *http.Request) string {
	if parts := strings.Split(r.Header.Get("Traceparent"), "-"); len(parts) >= 4 && len(parts[1]) == 32 && isHex(parts[1]) && strings.Trim(parts[1], "0") != "" {
		return parts[1]
	}
	if id := r.Header.Get(HeaderCorrelationID); validCorrelationID(id) {
		return id
	}
	return "req_" + strings.ToLower(rand.Text())
}

const maxCorrelationID = 128

func validCorrelationID(id string) bool {
	if id == "" || len(id) > maxCorrelationID {
		return false
	}
	for i := range len(id) {
		c := id[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		digit := c >= '0' && c <= '9'
		if !letter && !digit && !strings.ContainsRune("._:-", rune(c)) {
			return false
		}
	}
	return true
}

func isHex(text string) bool { return strings.Trim(text, "0123456789abcdef") == "" }
