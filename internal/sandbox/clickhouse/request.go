package clickhouse

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ebbgate/ebbgate/internal/sandbox/chdb"
)

// request is what one HTTP request asks of the engine beside its statement.
type request struct {
	id         string // query_id, given or made
	tag        string // ours, unique, see killTag
	database   string
	format     string // output format when the statement names none
	compress   bool   // ClickHouse's own compression of the response
	decompress bool   // the same of the request
	method     string // network_compression_method
	revision   uint64 // client_protocol_version
	settings   []setting
	params     []chdb.Param
}

type setting struct{ name, value string }

// reserved are URL parameters that belong to HTTP and are no settings.
var reserved = []string{
	"query", "query_id", "user", "password", "quota_key", "role", "stacktrace", "database", "default_format",
	"compress", "decompress", "client_protocol_version", "buffer_size", "wait_end_of_query",
	"session_id", "session_timeout", "session_check", killTag,
}

var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// readRequest reads the URL and headers. A GET may not change anything, as on
// a server.
func readRequest(r *http.Request) (*request, error) {
	query := r.URL.Query()
	if err := authenticate(r, query); err != nil {
		return nil, err
	}
	if query.Get("session_id") != "" {
		return nil, raise(codeNotImplemented, "NOT_IMPLEMENTED", "the sandbox keeps no HTTP sessions")
	}
	req := &request{
		id:         query.Get("query_id"),
		database:   first(query.Get("database"), r.Header.Get("X-ClickHouse-Database")),
		format:     first(query.Get("default_format"), r.Header.Get("X-ClickHouse-Format"), "TabSeparated"),
		compress:   query.Get("compress") == "1",
		decompress: query.Get("decompress") == "1",
		method:     query.Get("network_compression_method"),
	}
	req.revision, _ = strconv.ParseUint(query.Get("client_protocol_version"), 10, 64)
	if err := req.takeSettings(query); err != nil {
		return nil, err
	}
	if r.Method == http.MethodGet {
		req.settings = append(req.settings, setting{"readonly", "2"})
	}
	return req, nil
}

// takeSettings sorts the remaining URL parameters into settings and params.
func (req *request) takeSettings(query url.Values) error {
	names := make([]string, 0, len(query))
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value := query.Get(name)
		switch bare, isParam := strings.CutPrefix(name, "param_"); {
		case isParam:
			req.params = append(req.params, chdb.Param{Name: bare, Value: value})
		case slices.Contains(reserved, name):
		case !settingName.MatchString(name):
			return raise(codeUnknownSetting, "UNKNOWN_SETTING", "Unknown setting '%s'", name)
		default:
			req.settings = append(req.settings, setting{name, value})
		}
	}
	return nil
}

// authenticate accepts the sandbox's one user: `default` without a password.
func authenticate(r *http.Request, query url.Values) error {
	user, password, _ := r.BasicAuth()
	user = first(r.Header.Get("X-ClickHouse-User"), user, query.Get("user"), "default")
	password = first(r.Header.Get("X-ClickHouse-Key"), password, query.Get("password"))
	if user == "default" && password == "" {
		return nil
	}
	return raise(codeAuthentication, "AUTHENTICATION_FAILED",
		"%s: Authentication failed: password is incorrect, or there is no user with such name", user)
}

// setStatement renders the settings as one SET, or "" when there are none.
func (req *request) setStatement() string {
	if len(req.settings) == 0 {
		return ""
	}
	var sb strings.Builder
	for i, s := range req.settings {
		if i == 0 {
			sb.WriteString("SET ")
		} else {
			sb.WriteString(", ")
		}
		sb.WriteString(s.name + " = " + quote(s.value, '\''))
	}
	return sb.String()
}

// quote writes s between the given quotes with ClickHouse's escapes.
func quote(s string, mark byte) string {
	out := make([]byte, 0, len(s)+2)
	out = append(out, mark)
	for i := range len(s) {
		switch c := s[i]; c {
		case mark, '\\':
			out = append(out, '\\', c)
		case '\n':
			out = append(out, '\\', 'n')
		case 0:
			out = append(out, '\\', '0')
		default:
			out = append(out, c)
		}
	}
	return string(append(out, mark))
}

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
