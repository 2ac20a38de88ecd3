package clickhouse

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/andybalholm/brotli"
)

const (
	// headSize is how much of a body is read to find where a statement ends
	// and its rows begin; it is the server's max_query_size.
	headSize = 256 << 10
	// maxQuery bounds a statement that carries no rows.
	maxQuery = 64 << 20
	// frameSize is how much data one compressed frame of a response holds.
	frameSize = 256 << 10
)

// openBody returns the request's body as plain bytes.
func openBody(r *http.Request, req *request) (io.Reader, error) {
	body := io.Reader(r.Body)
	var err error
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "":
	case "gzip":
		body, err = gzip.NewReader(body)
	case "deflate":
		body, err = zlib.NewReader(body)
	case "br":
		body = brotli.NewReader(body)
	default:
		err = raise(codeUnknownCompression, "UNKNOWN_COMPRESSION_METHOD", "Unknown compression method %s", encoding)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the request's body: %w", err)
	}
	if req.decompress {
		body = newFrameReader(body)
	}
	return body, nil
}

// frameReader decompresses ClickHouse's frames and tells a clean end from a
// body that was cut inside a frame.
type frameReader struct {
	source *countingReader
	frames *compress.Reader
}

func newFrameReader(body io.Reader) *frameReader {
	source := &countingReader{reader: body}
	return &frameReader{source: source, frames: compress.NewReader(source)}
}

func (f *frameReader) Read(p []byte) (int, error) {
	before := f.source.count
	n, err := f.frames.Read(p)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF) && f.source.count == before:
		return n, io.EOF
	default:
		return n, fmt.Errorf("decompressing the request's body: %w", err)
	}
}

type countingReader struct {
	reader io.Reader
	count  int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.reader.Read(p)
	c.count += n
	return n, err
}

// readStatement joins the query parameter and the body as a server does, and
// splits the whole into a statement and, for an INSERT, its rows.
func readStatement(query string, body io.Reader) (statement, io.Reader, error) {
	if query != "" {
		st := parseStatement(query + "\n")
		if st.insert {
			return st, io.MultiReader(strings.NewReader(st.data), body), nil
		}
	}
	buffered := bufio.NewReaderSize(body, headSize)
	head, err := buffered.Peek(headSize)
	if err != nil && err != io.EOF {
		return statement{}, nil, fmt.Errorf("reading the statement: %w", err)
	}
	if query == "" {
		st := parseStatement(string(head))
		if st.insert {
			return st, io.MultiReader(strings.NewReader(st.data), skip(buffered, len(head))), nil
		}
	} else {
		query += "\n"
	}
	rest, err := io.ReadAll(io.LimitReader(buffered, maxQuery+1))
	if err != nil {
		return statement{}, nil, fmt.Errorf("reading the statement: %w", err)
	}
	if len(rest) > maxQuery {
		return statement{}, nil, raise(codeQueryTooLarge, "TOO_MANY_BYTES", "the statement is longer than %d bytes", maxQuery)
	}
	return parseStatement(query + string(rest)), nil, nil
}

// skip drops the n bytes already peeked at.
func skip(buffered *bufio.Reader, n int) io.Reader {
	buffered.Discard(n) // cannot fail: the bytes are in the buffer
	return buffered
}

// compressFrames writes data as ClickHouse's compressed frames.
func compressFrames(data []byte, method string) ([]byte, error) {
	kind := compress.LZ4
	switch strings.ToUpper(method) {
	case "ZSTD":
		kind = compress.ZSTD
	case "NONE":
		kind = compress.None
	}
	writer := compress.NewWriter(compress.LevelZero, kind)
	var out bytes.Buffer
	for len(data) > 0 {
		n := min(frameSize, len(data))
		if err := writer.Compress(data[:n]); err != nil {
			return nil, fmt.Errorf("compressing the response: %w", err)
		}
		out.Write(writer.Data)
		data = data[n:]
	}
	return out.Bytes(), nil
}
