package clickhouse

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/ch-go/compress"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wireRevision is one before the addendum, which would only add a quota key to the conversation.
const wireRevision = 54457

// received is what the wire server understood of one insert.
type received struct {
	query    proto.Query
	settings map[string]string
	types    map[string]string
	rows     map[string][]string
}

// wireServer speaks the server's half of a native insert with the protocol package's own decoders, which know nothing
// of our columns.
type wireServer struct {
	address string
	columns []*Column // of the table
	answer  func(n int, b *proto.Buffer) bool

	mu      sync.Mutex
	inserts []received
	conns   int
}

func newWireServer(t *testing.T, columns ...*Column) *wireServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &wireServer{address: listener.Addr().String(), columns: columns}
	var serving sync.WaitGroup
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		serving.Wait()
	})
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				if err := s.serve(conn); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
					t.Log(err)
				}
			})
		}
	})
	return s
}

// answers sets how insert n is answered; false closes the connection without a word.
func (s *wireServer) answers(answer func(n int, b *proto.Buffer) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// seen is what has happened so far.
func (s *wireServer) seen() (inserts []received, conns int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inserts, s.conns
}

func (s *wireServer) serve(conn net.Conn) error {
	s.mu.Lock()
	s.conns++
	s.mu.Unlock()
	r := proto.NewReader(conn)
	for {
		code, err := r.UVarInt()
		if err != nil {
			return err
		}
		var b proto.Buffer
		switch proto.ClientCode(code) {
		case proto.ClientCodeHello:
			var hello proto.ClientHello
			if err := hello.Decode(r); err != nil {
				return err
			}
			info := proto.ServerHello{Name: "wire", Major: 25, Minor: 8, Revision: wireRevision, Timezone: "UTC", DisplayName: "wire"}
			info.EncodeAware(&b, wireRevision)
		case proto.ClientCodePing:
			proto.ServerCodePong.Encode(&b)
		case proto.ClientCodeQuery:
			ok, err := s.insert(conn, r, &b)
			if err != nil || !ok {
				return err
			}
		}
		if _, err := conn.Write(b.Buf); err != nil {
			return err
		}
	}
}

// insert reads a query and its block; false closes the connection without an answer.
func (s *wireServer) insert(conn net.Conn, r *proto.Reader, b *proto.Buffer) (bool, error) {
	var in received
	if err := in.query.DecodeAware(r, wireRevision); err != nil {
		return false, err
	}
	compressed := in.query.Compression == proto.CompressionEnabled
	if _, err := s.block(r, compressed, nil); err != nil {
		return false, err
	}
	if err := s.header(conn, compressed); err != nil {
		return false, err
	}
	var results proto.Results
	if _, err := s.block(r, compressed, results.Auto()); err != nil {
		return false, err
	}
	if _, err := s.block(r, compressed, nil); err != nil {
		return false, err
	}
	in.settings, in.types, in.rows = map[string]string{}, map[string]string{}, map[string][]string{}
	for _, setting := range in.query.Settings {
		in.settings[setting.Key] = setting.Value
	}
	for _, column := range results {
		in.types[column.Name] = string(column.Data.Type())
		in.rows[column.Name] = texts(column.Data)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inserts = append(s.inserts, in)
	if s.answer != nil {
		return s.answer(len(s.inserts), b), nil
	}
	proto.ServerCodeEndOfStream.Encode(b)
	return true, nil
}

func texts(col proto.ColResult) []string {
	var list []string
	switch c := col.(type) {
	case proto.ColumnOf[string]:
		for i := range c.Rows() {
			list = append(list, c.Row(i))
		}
	case proto.ColumnOf[proto.Nullable[string]]:
		for i := range c.Rows() {
			if v := c.Row(i); v.Set {
				list = append(list, v.Value)
			} else {
				list = append(list, "NULL")
			}
		}
	case proto.ColumnOf[time.Time]:
		for i := range c.Rows() {
			list = append(list, c.Row(i).UTC().Format(time.RFC3339Nano))
		}
	}
	return list
}

func (s *wireServer) block(r *proto.Reader, compressed bool, into proto.Result) (proto.Block, error) {
	var data proto.ClientData
	var block proto.Block
	code, err := r.UVarInt()
	if err != nil {
		return block, err
	}
	if proto.ClientCode(code) != proto.ClientCodeData {
		return block, errors.New("expected data")
	}
	if err := data.DecodeAware(r, wireRevision); err != nil {
		return block, err
	}
	if compressed {
		r.EnableCompression()
		defer r.DisableCompression()
	}
	return block, block.DecodeBlock(r, wireRevision, into)
}

// header tells the client the table's columns, as a block without rows.
func (s *wireServer) header(conn net.Conn, compressed bool) error {
	var body, b proto.Buffer
	input := NewBlock(s.columns...).input
	if err := (proto.Block{Info: proto.BlockInfo{BucketNum: -1}, Columns: len(input)}).EncodeBlock(&body, wireRevision, input); err != nil {
		return err
	}
	if compressed {
		w := compress.NewWriter(compress.LevelZero, compress.LZ4)
		if err := w.Compress(body.Buf); err != nil {
			return err
		}
		body.Buf = w.Data
	}
	proto.ServerCodeData.Encode(&b)
	b.PutString("")
	b.PutRaw(body.Buf)
	_, err := conn.Write(b.Buf)
	return err
}

func wireColumns(t *testing.T) []*Column {
	t.Helper()
	var columns []*Column
	for _, c := range [][2]string{{"s", "String"}, {"n", "Nullable(String)"}, {"l", "LowCardinality(String)"}, {"at", "DateTime64(3, 'UTC')"}} {
		typ, err := ParseType(c[1])
		require.NoError(t, err)
		columns = append(columns, NewColumn(c[0], typ))
	}
	return columns
}

func fillWire(columns []*Column) *Block {
	for _, text := range []string{"a", "", "a"} {
		columns[0].AppendText([]byte(text))
		columns[2].AppendText([]byte("low" + text))
		columns[3].AppendTime(time.UnixMilli(1776074398120))
	}
	columns[1].AppendText([]byte("x"))
	columns[1].AppendNone()
	columns[1].AppendText(nil)
	return NewBlock(columns...)
}

func openWire(t *testing.T, address string, compression Compression) *Client {
	t.Helper()
	client, err := Open(Options{DSN: "clickhouse://user:word@" + address + "/data", Compression: compression, Timeout: 10 * time.Second, MaxInserts: 2})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

func TestNativeInsertOnTheWire(t *testing.T) {
	for _, compression := range []Compression{LZ4, ZSTD, None} {
		t.Run(string(compression), func(t *testing.T) {
			s := newWireServer(t, wireColumns(t)...)
			client := openWire(t, s.address, compression)
			block := fillWire(wireColumns(t))
			for range 3 {
				require.NoError(t, client.Insert(t.Context(), Insert{Table: "events", Block: block, Token: "the token", QueryID: "the id"}))
			}
			inserts, conns := s.seen()
			require.Len(t, inserts, 3)
			assert.Equal(t, 1, conns, "the connection is kept")
			in := inserts[2]
			assert.Equal(t, "INSERT INTO `events` (`s`, `n`, `l`, `at`) VALUES", in.query.Body)
			assert.Equal(t, "the id", in.query.ID)
			assert.Equal(t, "the token", in.settings["insert_deduplication_token"])
			assert.Equal(t, "0", in.settings["async_insert"])
			assert.Equal(t, "1", in.settings["insert_deduplicate"])
			assert.Equal(t, map[string]string{"s": "String", "n": "Nullable(String)", "l": "LowCardinality(String)", "at": "DateTime64(3, 'UTC')"}, in.types)
			assert.Equal(t, []string{"a", "", "a"}, in.rows["s"])
			assert.Equal(t, []string{"x", "NULL", ""}, in.rows["n"])
			assert.Equal(t, []string{"lowa", "low", "lowa"}, in.rows["l"])
			assert.Equal(t, "2026-04-13T09:59:58.12Z", in.rows["at"][0])
		})
	}
}

func TestNativeInsertThatFails(t *testing.T) {
	s := newWireServer(t, wireColumns(t)...)
	s.answers(func(n int, b *proto.Buffer) bool {
		switch n {
		case 1: // the connection breaks after the server has the rows
			return false
		case 2:
			proto.ServerCodeException.Encode(b)
			e := proto.Exception{Code: 469, Name: "DB::Exception", Message: "Column values: s = 'secret'"}
			e.EncodeAware(b, wireRevision)
			return true
		default:
			proto.ServerCodeEndOfStream.Encode(b)
			return true
		}
	})
	client := openWire(t, s.address, LZ4)
	in := Insert{Table: "events", Block: fillWire(wireColumns(t)), Token: "t", QueryID: "q"}
	err := client.Insert(t.Context(), in)
	require.Error(t, err)
	assert.False(t, Permanent(err), "an unknown outcome")
	err = client.Insert(t.Context(), in)
	assert.True(t, Permanent(err), err)
	assert.NotContains(t, err.Error(), "secret")
	require.NoError(t, client.Insert(t.Context(), in))
	_, conns := s.seen()
	assert.Equal(t, 3, conns, "after an error the connection is given up")
}

func TestNativeInsertWithoutServer(t *testing.T) {
	s := newWireServer(t)
	client := openWire(t, s.address, LZ4)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, client.Insert(ctx, Insert{Table: "events", Block: fillWire(wireColumns(t)), Token: "t", QueryID: "q"}))
	away := openWire(t, "127.0.0.1:1", LZ4)
	err := away.Insert(t.Context(), Insert{Table: "events", Block: fillWire(wireColumns(t)), Token: "t", QueryID: "q"})
	require.ErrorContains(t, err, "connecting for the insert")
	assert.NotContains(t, err.Error(), "word")
}
