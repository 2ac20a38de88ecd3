package clickhouse

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// Error codes this package raises itself, with the server's numbers.
const (
	codeNotImplemented     = 48
	codeSyntaxError        = 62
	codeUnknownSetting     = 115
	codeUnknownCompression = 89
	codeQueryTooLarge      = 307
	codeAuthentication     = 516
	codeUnknown            = 1002
)

// exception is an error in the server's words: "Code: 60. DB::Exception: ...".
type exception struct {
	code int
	text string
}

func (e *exception) Error() string { return e.text }

var exceptionCode = regexp.MustCompile(`Code: (\d+)\.`)

// raise builds an exception of our own in the server's form.
func raise(code int, name, format string, args ...any) *exception {
	return &exception{code: code, text: fmt.Sprintf("Code: %d. DB::Exception: %s. (%s)", code, fmt.Sprintf(format, args...), name)}
}

// asException reads the engine's error text. An error without a code, such as
// a broken request body, becomes code 1002 as on a server.
func asException(err error) *exception {
	if e, ok := err.(*exception); ok {
		return e
	}
	text := err.Error()
	if m := exceptionCode.FindStringSubmatchIndex(text); m != nil {
		code, _ := strconv.Atoi(text[m[2]:m[3]])
		return &exception{code: code, text: text[m[0]:]}
	}
	return raise(codeUnknown, "UNKNOWN_EXCEPTION", "%s", text)
}

// versioned appends the server version, which every server puts last.
func (e *exception) versioned(version string) string {
	if strings.Contains(e.text, "(version ") {
		return e.text + "\n"
	}
	return fmt.Sprintf("%s (version %s)\n", e.text, version)
}

// status is the HTTP status a server gives an exception's code.
func (e *exception) status() int {
	if status, ok := statuses[e.code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// statuses repeats the server's table from exception code to HTTP status.
var statuses = func() map[int]int {
	table := map[int]int{
		159: http.StatusRequestTimeout,
		194: http.StatusUnauthorized,
		62:  http.StatusBadRequest,
		209: http.StatusServiceUnavailable, 439: http.StatusServiceUnavailable,
		381: http.StatusLengthRequired,
		307: http.StatusRequestEntityTooLarge, 131: http.StatusRequestEntityTooLarge,
		48: http.StatusNotImplemented,
	}
	for _, code := range []int{192, 193, 291, 452, 497, 516} { // user, password, rights
		table[code] = http.StatusForbidden
	}
	for _, code := range []int{6, 25, 26, 27, 38, 41, 69, 72, 53, 70, 42, 63, 64, 35, 43} { // cannot parse, wrong types
		table[code] = http.StatusBadRequest
	}
	for _, code := range []int{16, 46, 47, 50, 56, 60, 66, 75, 79, 81, 93, 115, 117, 280, 456} { // unknown names
		table[code] = http.StatusNotFound
	}
	return table
}()
