package clickhouse

import (
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"

	"github.com/ebbgate/ebbgate/internal/sandbox/chdb"
)

// describe sets the headers every answer carries.
func (h *Handler) describe(w http.ResponseWriter, id string) {
	header := w.Header()
	header.Set("X-ClickHouse-Server-Display-Name", h.name)
	header.Set("X-ClickHouse-Timezone", h.location.String())
	header.Set("X-ClickHouse-Query-Id", id)
}

// answer writes a result. The engine has finished by now, so that an error
// never arrives in the middle of rows.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, req *request, format string, body []byte, stats chdb.Stats) error {
	var err error
	if format == "Native" {
		if body, err = reencodeNative(body, req.revision, h.location); err != nil {
			return err
		}
	}
	if req.compress {
		if body, err = compressFrames(body, req.method); err != nil {
			return err
		}
	}
	header := w.Header()
	header.Set("Content-Type", contentType(format))
	header.Set("X-ClickHouse-Format", format)
	header.Set("X-ClickHouse-Summary", summary(stats))
	write, encoding := encoder(r, req)
	if encoding == "" || len(body) == 0 {
		header.Set("Content-Length", strconv.Itoa(len(body)))
		_, err = w.Write(body)
		return ignoreLostClient(err)
	}
	header.Set("Content-Encoding", encoding)
	return ignoreLostClient(write(w, body))
}

// ignoreLostClient drops the error of writing to a client that went away: it
// is no failure of the statement, and there is nobody to tell.
func ignoreLostClient(error) error { return nil }

// encoder picks the HTTP compression, which a server uses only when asked by
// the setting enable_http_compression as well.
func encoder(r *http.Request, req *request) (func(io.Writer, []byte) error, string) {
	if !req.enabled("enable_http_compression") {
		return nil, ""
	}
	accepted := r.Header.Get("Accept-Encoding")
	for _, encoding := range []string{"br", "gzip", "deflate"} {
		if !strings.Contains(accepted, encoding) {
			continue
		}
		return func(w io.Writer, body []byte) error {
			var out io.WriteCloser
			switch encoding {
			case "br":
				out = brotli.NewWriter(w)
			case "gzip":
				out = gzip.NewWriter(w)
			default:
				out = zlib.NewWriter(w)
			}
			if _, err := out.Write(body); err != nil {
				return err
			}
			return out.Close()
		}, encoding
	}
	return nil, ""
}

// enabled reports whether the client switched a boolean setting on.
func (req *request) enabled(name string) bool {
	for _, s := range req.settings {
		if s.name == name {
			return s.value == "1" || s.value == "true"
		}
	}
	return false
}

// refuse answers with an exception in the server's form.
func (h *Handler) refuse(w http.ResponseWriter, err error) {
	e := asException(err)
	header := w.Header()
	header.Del("X-ClickHouse-Format")
	header.Set("Content-Type", "text/plain; charset=UTF-8")
	header.Set("X-ClickHouse-Exception-Code", strconv.Itoa(e.code))
	w.WriteHeader(e.status())
	io.WriteString(w, e.versioned(h.version))
}

// summary is the X-ClickHouse-Summary header: counters as decimal strings.
func summary(s chdb.Stats) string {
	return fmt.Sprintf(`{"read_rows":"%d","read_bytes":"%d","written_rows":"%d","written_bytes":"%d",`+
		`"total_rows_to_read":"0","result_rows":"%d","result_bytes":"%d","elapsed_ns":"%d"}`,
		s.ReadRows, s.ReadBytes, s.WrittenRows, s.WrittenBytes, s.ResultRows, s.ResultBytes, int64(s.Elapsed*1e9))
}

// contentType is the MIME type a server gives a format.
func contentType(format string) string {
	switch {
	case strings.HasPrefix(format, "JSONEachRow"), strings.HasPrefix(format, "JSONCompactEachRow"):
		return "application/x-ndjson; charset=UTF-8"
	case strings.HasPrefix(format, "JSON"):
		return "application/json; charset=UTF-8"
	case strings.HasPrefix(format, "CSV"):
		return "text/csv; charset=UTF-8; header=absent"
	case strings.HasPrefix(format, "TabSeparated"), strings.HasPrefix(format, "TSV"):
		return "text/tab-separated-values; charset=UTF-8"
	case strings.HasPrefix(format, "Pretty"), format == "Vertical", format == "Values":
		return "text/plain; charset=UTF-8"
	default:
		return "application/octet-stream"
	}
}
