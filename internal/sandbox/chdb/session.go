package chdb

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"unsafe"
)

// appendSize is how much of an insert's body crosses into the engine at once.
const appendSize = 256 << 10

// Session is one client of the engine: its settings and current database are
// its own. It runs one statement at a time and is not safe for concurrent use.
type Session struct {
	lib  *Library
	conn unsafe.Pointer
}

// Param is the value of one {name:Type} placeholder, in ClickHouse's text form.
type Param struct{ Name, Value string }

// Stats are the engine's counters of one statement. Elapsed is in seconds.
type Stats struct {
	Elapsed                   float64
	ResultRows, ResultBytes   uint64
	ReadRows, ReadBytes       uint64
	WrittenRows, WrittenBytes uint64
}

// Query runs one statement and returns its whole result in the given output
// format. The error text is the engine's own, "Code: 60. DB::Exception: ...".
func (s *Session) Query(statement, format string, params []Param) ([]byte, Stats, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	call := newCall(statement, format, params)
	defer call.release()
	handle := s.lib.query(*(*unsafe.Pointer)(s.conn), call.query, call.queryLen, call.format, call.formatLen,
		call.names, call.nameLens, call.values, call.valueLens, call.count)
	return s.lib.take(handle)
}

// Insert runs an INSERT whose data, in the given input format, is body. The
// statement carries neither FORMAT nor data. When body fails the insert is
// cancelled and the body's error returned; blocks already complete may stay,
// as on a server.
func (s *Session) Insert(statement, format string, params []Param, body io.Reader) (Stats, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	call := newCall(statement, format, params)
	defer call.release()
	stream := s.lib.insert(*(*unsafe.Pointer)(s.conn), call.query, call.queryLen, call.format, call.formatLen,
		call.names, call.nameLens, call.values, call.valueLens, call.count)
	defer s.lib.insertDestroy(stream)
	if text := cString(s.lib.insertError(stream)); text != "" {
		return Stats{}, errors.New(text)
	}
	if err := s.feed(stream, body); err != nil {
		s.lib.insertCancel(stream)
		return Stats{}, err
	}
	_, stats, err := s.lib.take(s.lib.insertDone(stream))
	return stats, err
}

// feed copies body into the stream. A refused chunk ends it: the reason is
// told by the stream or by its completion. A body that ends early is an
// error, never a shorter insert.
func (s *Session) feed(stream unsafe.Pointer, body io.Reader) error {
	buf := make([]byte, appendSize)
	for {
		n, err := body.Read(buf)
		if n > 0 && s.lib.insertAppend(stream, unsafe.Pointer(&buf[0]), uintptr(n)) != 0 {
			if text := cString(s.lib.insertError(stream)); text != "" {
				return errors.New(text)
			}
			return nil
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the insert's data: %w", err)
		}
	}
}

// Close ends the session and frees what it holds in the engine.
func (s *Session) Close() {
	if s.conn != nil {
		s.lib.closeConn(s.conn)
		s.conn = nil
	}
}

// take copies a result out of the engine and destroys it.
func (lib *Library) take(handle unsafe.Pointer) ([]byte, Stats, error) {
	if handle == nil {
		return nil, Stats{}, errors.New("the engine returned no result")
	}
	defer lib.resultDestroy(handle)
	if text := cString(lib.resultError(handle)); text != "" {
		return nil, Stats{}, errors.New(text)
	}
	stats := Stats{
		Elapsed:    lib.resultElapsed(handle),
		ResultRows: lib.resultRows(handle), ResultBytes: lib.resultBytes(handle),
		ReadRows: lib.resultStorageRows(handle), ReadBytes: lib.resultStorageBytes(handle),
		WrittenRows: lib.resultRowsWritten(handle), WrittenBytes: lib.resultBytesWritten(handle),
	}
	length := int(lib.resultLength(handle))
	if length == 0 {
		return nil, stats, nil
	}
	body := make([]byte, length)
	copy(body, unsafe.Slice((*byte)(lib.resultBuffer(handle)), length))
	return body, stats, nil
}

// call holds the arguments of a statement in memory the collector leaves in
// place while the engine reads them.
type call struct {
	pinner                             runtime.Pinner
	query, format                      unsafe.Pointer
	queryLen, formatLen                uintptr
	names, nameLens, values, valueLens unsafe.Pointer
	count                              uintptr
}

func newCall(statement, format string, params []Param) *call {
	c := &call{count: uintptr(len(params))}
	c.query, c.queryLen = c.text(statement)
	c.format, c.formatLen = c.text(format)
	if len(params) == 0 {
		return c
	}
	names, nameLens := make([]unsafe.Pointer, len(params)), make([]uintptr, len(params))
	values, valueLens := make([]unsafe.Pointer, len(params)), make([]uintptr, len(params))
	for i, param := range params {
		names[i], nameLens[i] = c.text(param.Name)
		values[i], valueLens[i] = c.text(param.Value)
	}
	for _, p := range []any{&names[0], &nameLens[0], &values[0], &valueLens[0]} {
		c.pinner.Pin(p)
	}
	c.names, c.nameLens = unsafe.Pointer(&names[0]), unsafe.Pointer(&nameLens[0])
	c.values, c.valueLens = unsafe.Pointer(&values[0]), unsafe.Pointer(&valueLens[0])
	return c
}

// text pins a terminated copy of s; the length excludes the terminator.
func (c *call) text(s string) (unsafe.Pointer, uintptr) {
	buf := make([]byte, len(s)+1)
	copy(buf, s)
	c.pinner.Pin(&buf[0])
	return unsafe.Pointer(&buf[0]), uintptr(len(s))
}

func (c *call) release() { c.pinner.Unpin() }
