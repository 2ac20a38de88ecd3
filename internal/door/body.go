package door

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// BodyLimits bound what one request may bring.
type BodyLimits struct {
	// MaxBytes is the largest body, in bytes, before and after decompression.
	MaxBytes int64
	// MaxRatio is how many bytes one compressed byte may become.
	MaxRatio int64
}

// ratioGrace is how much any body may decompress to, whatever its ratio: small bodies compress well.
const ratioGrace = 64 << 10

var readers sync.Pool // of *gzip.Reader

// ReadBody reads a request's whole body, decompressed, and takes its length from memory as it arrives, so that slow
// senders hold no more than they sent. Where the refusal is nil the caller owns the bytes and gives that length back.
// One layer of gzip is taken; every other encoding, and a second layer, is refused by its name alone.
func ReadBody(w http.ResponseWriter, r *http.Request, limits BodyLimits, memory *Memory) ([]byte, *Refusal) {
	encodings := r.Header.Values("Content-Encoding")
	if len(encodings) > 1 {
		return nil, RefuseEncoding
	}
	body := &metered{memory: memory}
	compressed := &counting{from: http.MaxBytesReader(w, r.Body, limits.MaxBytes)}
	switch {
	case len(encodings) == 0, encodings[0] == "", encodings[0] == "identity":
		body.from = compressed
		return readAll(body, sizeHint(r.ContentLength, limits.MaxBytes))
	case encodings[0] == "gzip":
		return gunzip(compressed, limits, body)
	}
	return nil, RefuseEncoding
}

func gunzip(compressed *counting, limits BodyLimits, body *metered) ([]byte, *Refusal) {
	zr, pooled := readers.Get().(*gzip.Reader)
	if !pooled {
		zr = new(gzip.Reader)
	}
	defer readers.Put(zr)
	if err := zr.Reset(compressed); err != nil {
		return nil, refusalOf(err, RefuseCompression)
	}
	body.from = &ratioed{from: zr, compressed: compressed, limits: limits}
	return readAll(body, 0)
}

func readAll(body *metered, size int64) ([]byte, *Refusal) {
	var whole bytes.Buffer
	whole.Grow(int(size) + bytes.MinRead) // bytes.Buffer wants that much room to see the end
	if _, err := whole.ReadFrom(body); err != nil {
		body.memory.Give(body.taken)
		return nil, refusalOf(err, RefuseIncomplete)
	}
	return whole.Bytes(), nil
}

func sizeHint(contentLength, limit int64) int64 {
	if contentLength < 0 {
		return 0
	}
	// A sender who announces much gets the room only as it sends.
	return min(contentLength, limit, 4<<10)
}

func refusalOf(err error, otherwise *Refusal) *Refusal {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge), errors.Is(err, errRatio):
		return RefuseTooLarge
	case errors.Is(err, errBusy):
		return RefuseBusy
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return RefuseCompression
	}
	return otherwise
}

// counting counts what was read of a compressed body.
type counting struct {
	from io.Reader
	n    int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	return n, err
}

var errRatio = errors.New("the body decompresses to too much")

// ratioed stops a decompression that gets out of hand while it does.
type ratioed struct {
	from       io.Reader
	compressed *counting
	limits     BodyLimits
	n          int64
}

func (r *ratioed) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	r.n += int64(n)
	if r.n > r.limits.MaxBytes || r.n > ratioGrace+r.compressed.n*r.limits.MaxRatio {
		return 0, errRatio
	}
	return n, err
}

var errBusy = errors.New("the door's memory is taken")

// metered takes what passes from the door's memory.
type metered struct {
	from   io.Reader
	memory *Memory
	taken  int64
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.from.Read(p)
	if n > 0 && !m.memory.Take(int64(n)) {
		return 0, errBusy
	}
	m.taken += int64(n)
	return n, err
}
