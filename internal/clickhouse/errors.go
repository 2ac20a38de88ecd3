package clickhouse

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/ClickHouse/ch-go"
	driver "github.com/ClickHouse/clickhouse-go/v2"
)

// ServerError is an exception the server answered with. Its text never holds a value of a row: messages of exceptions
// that quote values are left out.
type ServerError struct {
	Code    int
	Message string // empty where it could quote values
}

// Error gives the code and, where it is safe, what the server said.
func (e *ServerError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("ClickHouse exception %d", e.Code)
	}
	return fmt.Sprintf("ClickHouse exception %d: %s", e.Code, e.Message)
}

// permanentCodes are the exceptions that no retry can mend: a row's value is at fault, while the server, the schema and
// the set-up are in order. Everything else an operator or time can mend, so the chunk waits.
var permanentCodes = map[int]bool{
	131: true, // TOO_LARGE_STRING_SIZE
	321: true, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
	469: true, // VIOLATED_CONSTRAINT
	691: true, // UNKNOWN_ELEMENT_OF_ENUM
}

// quotingCodes are exceptions whose messages can quote values: those above, and everything about parsing or converting.
var quotingCodes = map[int]bool{
	6: true, 26: true, 27: true, 38: true, 41: true, 53: true, 69: true, 70: true, 72: true, 117: true, 128: true,
	131: true, 290: true, 321: true, 376: true, 407: true, 469: true, 675: true, 691: true,
}

// Permanent tells whether an insert failed because of a value in one of its rows, so that retrying the same rows can
// never succeed. It is false for nil, for every unknown outcome and for everything an operator can mend.
func Permanent(err error) bool {
	server, ok := errors.AsType[*ServerError](err)
	return ok && permanentCodes[server.Code]
}

// maxMessage bounds what of a server's message goes into an error.
const maxMessage = 400

func newServerError(code int, message string) *ServerError {
	if quotingCodes[code] {
		return &ServerError{Code: code}
	}
	message, _, _ = strings.Cut(message, "Stack trace:")
	message = strings.TrimSpace(message)
	if len(message) > maxMessage {
		message = message[:maxMessage] + "..."
	}
	return &ServerError{Code: code, Message: message}
}

var exceptionText = regexp.MustCompile(`(?s)Code: (\d+)\. (?:DB::(?:Net)?Exception: )?(.*)`)

// parseException reads an exception as HTTP words it.
func parseException(text string) (*ServerError, bool) {
	m := exceptionText.FindStringSubmatch(text)
	if m == nil {
		return nil, false
	}
	code, err := strconv.Atoi(m[1])
	return newServerError(code, m[2]), err == nil
}

// serverError turns the drivers' own exceptions into ours, takes addresses with their statements out of HTTP errors,
// and leaves other errors as they are.
func serverError(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("asking ClickHouse: %w", u.Err)
	}
	if e, ok := errors.AsType[*driver.Exception](err); ok {
		return newServerError(int(e.Code), e.Message)
	}
	if e, ok := errors.AsType[*ch.Exception](err); ok {
		return newServerError(int(e.Code), e.Message)
	}
	return err
}
