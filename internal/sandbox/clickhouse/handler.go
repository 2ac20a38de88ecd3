// Package clickhouse serves ClickHouse's HTTP interface over an embedded
// engine: what a client library can do against a server it can do here. It
// is for the sandbox and tests, listens on loopback and knows one user.
package clickhouse

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ebbgate/ebbgate/internal/sandbox/chdb"
)

// maxSessions bounds how many statements run at once; more wait their turn.
const maxSessions = 16

// killInterval is how often a cancelled statement is asked to end, until the
// engine has registered it and obeys.
const killInterval = 50 * time.Millisecond

// killTag is the setting by which a running statement is found to be ended: it
// takes any text and, without a query cache, means nothing. The engine gives
// no other name to a statement that is known before it runs.
const killTag = "query_cache_tag"

// Handler answers HTTP requests with an engine. It is safe for concurrent
// use: every request is a session of its own, with its own settings.
type Handler struct {
	engine   *chdb.Engine
	slots    chan struct{}
	name     string
	version  string
	location *time.Location
}

// NewHandler asks the engine who it is and returns its HTTP interface. The
// caller keeps ownership of the engine.
func NewHandler(engine *chdb.Engine) (*Handler, error) {
	session, err := engine.Session()
	if err != nil {
		return nil, err
	}
	defer session.Close()
	body, _, err := session.Query("SELECT displayName(), version(), timezone()", "TabSeparated", nil)
	if err != nil {
		return nil, fmt.Errorf("asking the engine for its version: %w", err)
	}
	fields := strings.Split(strings.TrimSuffix(string(body), "\n"), "\t")
	if len(fields) != 3 {
		return nil, fmt.Errorf("asking the engine for its version: %d fields", len(fields))
	}
	location, err := time.LoadLocation(fields[2])
	if err != nil {
		return nil, fmt.Errorf("loading the engine's time zone: %w", err)
	}
	return &Handler{engine: engine, slots: make(chan struct{}, maxSessions), name: fields[0], version: fields[1], location: location}, nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query().Get("query")
	switch {
	case r.URL.Path == "/ping", r.URL.Path == "/replicas_status", r.URL.Path == "/" && r.Method == http.MethodGet && query == "":
		io.WriteString(w, "Ok.\n")
		return
	case r.URL.Path != "/":
		http.Error(w, "There is no handle "+r.URL.Path+"\n\nUse / or /ping for health checks.", http.StatusNotFound)
		return
	}
	id := first(r.URL.Query().Get("query_id"), rand.Text())
	h.describe(w, id)
	req, err := readRequest(r)
	if err == nil {
		req.id, req.tag = id, rand.Text()
		err = h.run(w, r, req, query)
	}
	if err != nil {
		h.refuse(w, err)
	}
}

// run executes the request's statement and writes its answer. An error means
// that nothing has been written yet.
func (h *Handler) run(w http.ResponseWriter, r *http.Request, req *request, query string) error {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return raise(codeNotImplemented, "NOT_IMPLEMENTED", "the sandbox takes no external tables over HTTP")
	}
	body, err := openBody(r, req)
	if err != nil {
		return err
	}
	st, rows, err := readStatement(query, body)
	if err != nil {
		return err
	}
	if st.empty {
		return raise(codeSyntaxError, "SYNTAX_ERROR", "Empty query")
	}
	if st.many {
		return raise(codeSyntaxError, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)")
	}
	session, release, err := h.open(r.Context(), req)
	if err != nil {
		return err
	}
	defer release()
	if st.insert {
		stats, err := session.Insert(st.text, first(st.format, req.insertFormat()), req.params, rows)
		if err != nil {
			return err
		}
		return h.answer(w, r, req, first(st.format, req.format), nil, stats)
	}
	stop := h.killWhenDone(r.Context(), req)
	result, stats, err := session.Query(st.text, req.format, req.params)
	stop()
	if err != nil {
		return err
	}
	return h.answer(w, r, req, first(st.format, req.format), result, stats)
}

// insertFormat is the format of rows whose statement names none: a server
// takes Values unless a default is asked for.
func (req *request) insertFormat() string {
	if req.format == "TabSeparated" {
		return "Values"
	}
	return req.format
}

// open takes a slot and prepares a session with the request's database and
// settings. release gives both back.
func (h *Handler) open(ctx context.Context, req *request) (*chdb.Session, func(), error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	session, err := h.engine.Session()
	if err != nil {
		<-h.slots
		return nil, nil, err
	}
	release := func() {
		session.Close()
		<-h.slots
	}
	if err := prepare(session, req); err != nil {
		release()
		return nil, nil, err
	}
	return session, release, nil
}

func prepare(session *chdb.Session, req *request) error {
	req.settings = append([]setting{{killTag, req.tag}}, req.settings...)
	if req.database != "" && req.database != "default" {
		if _, _, err := session.Query("USE "+quote(req.database, '`'), "TabSeparated", nil); err != nil {
			return err
		}
	}
	_, _, err := session.Query(req.setStatement(), "TabSeparated", nil)
	return err
}

// killWhenDone ends the statement when its client goes away, so that a lost
// query does not hold its slot. The returned function stops the watch.
func (h *Handler) killWhenDone(ctx context.Context, req *request) func() {
	done := make(chan struct{})
	go func() {
		select {
		case <-done:
			return
		case <-ctx.Done():
		}
		ticker := time.NewTicker(killInterval)
		defer ticker.Stop()
		for {
			h.kill(req.tag)
			select {
			case <-done:
				return
			case <-ticker.C:
			}
		}
	}()
	return func() { close(done) }
}

// kill asks the engine to end the statement with the given tag. It does not
// wait: the statement's own session sees the end.
func (h *Handler) kill(tag string) {
	session, err := h.engine.Session()
	if err != nil {
		return // the engine is closing, and with it the statement
	}
	defer session.Close()
	statement := "KILL QUERY WHERE Settings['" + killTag + "'] = " + quote(tag, '\'') + " ASYNC"
	session.Query(statement, "TabSeparated", nil) // tried again by the caller until the statement has ended
}
