package clickhouse

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	driver "github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// blockInfo is what every Native block of revision 1 and later begins with:
// no overflow row, bucket -1.
var blockInfo = []byte{1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0}

// reencodeNative turns the engine's Native output, which is always revision
// 0, into the revision a client asked for. The columns' bytes are copied as
// they are: they are decoded only to find where they end.
func reencodeNative(body []byte, revision uint64, location *time.Location) ([]byte, error) {
	if revision == 0 || len(body) == 0 {
		return body, nil
	}
	out := make([]byte, 0, len(body)+len(body)/64+64)
	raw := newNativeReader(body)
	for {
		rows, columns, err := raw.header()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, blockInfo...)
		out = binary.AppendUvarint(binary.AppendUvarint(out, columns), rows)
		for range columns {
			if out, err = raw.column(out, int(rows), revision, location); err != nil {
				return nil, err
			}
		}
	}
}

// nativeReader decodes Native blocks and knows which bytes it has passed.
type nativeReader struct {
	body   []byte
	source *bytes.Reader
	buffer *bufio.Reader
	reader *chproto.Reader
}

// readerSize is not below ch-go's own buffer, so that ch-go adopts ours and
// the position can be told.
const readerSize = 1 << 20

func newNativeReader(body []byte) *nativeReader {
	source := bytes.NewReader(body)
	buffer := bufio.NewReaderSize(source, readerSize)
	return &nativeReader{body: body, source: source, buffer: buffer, reader: chproto.NewReader(buffer)}
}

func (r *nativeReader) position() int {
	return len(r.body) - r.source.Len() - r.buffer.Buffered()
}

func (r *nativeReader) header() (rows, columns uint64, err error) {
	if r.position() == len(r.body) {
		return 0, 0, io.EOF
	}
	if columns, err = r.reader.UVarInt(); err != nil {
		return 0, 0, fmt.Errorf("reading a block: %w", err)
	}
	if rows, err = r.reader.UVarInt(); err != nil {
		return 0, 0, fmt.Errorf("reading a block: %w", err)
	}
	return rows, columns, nil
}

// column appends one column in the wanted revision.
func (r *nativeReader) column(out []byte, rows int, revision uint64, location *time.Location) ([]byte, error) {
	start := r.position()
	name, err := r.reader.Str()
	if err != nil {
		return nil, fmt.Errorf("reading a column: %w", err)
	}
	kind, err := r.reader.Str()
	if err != nil {
		return nil, fmt.Errorf("reading column %s: %w", name, err)
	}
	out = append(out, r.body[start:r.position()]...)
	if revision >= driver.DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION {
		out = append(out, 0) // the engine's output has no custom serialisation
	}
	if rows == 0 {
		return out, nil
	}
	start = r.position()
	col, err := column.Type(kind).Column(name, &column.ServerContext{Timezone: location})
	if err != nil {
		return nil, raise(codeNotImplemented, "NOT_IMPLEMENTED", "the sandbox cannot send column %s of type %s in Native format: %v", name, kind, err)
	}
	if custom, ok := col.(column.CustomSerialization); ok {
		if err := custom.ReadStatePrefix(r.reader); err != nil {
			return nil, fmt.Errorf("reading column %s: %w", name, err)
		}
	}
	if err := col.Decode(r.reader, rows); err != nil {
		return nil, fmt.Errorf("reading column %s: %w", name, err)
	}
	return append(out, r.body[start:r.position()]...), nil
}
