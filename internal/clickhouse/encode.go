package clickhouse

import (
	"encoding/binary"
	"math"

	"github.com/ClickHouse/ch-go/proto"
)

// What the wire says before the dictionary and keys of a LowCardinality column.
const (
	lowCardVersion   = 1
	lowCardOwnKeys   = 1 << 9
	lowCardNewDict   = 1 << 10
	lowCardKeyBytes1 = 0
	lowCardKeyBytes2 = 1
	lowCardKeyBytes4 = 2
)

// Type is the column's type as the protocol wants it.
func (c *Column) Type() proto.ColumnType { return proto.ColumnType(c.typ.Text) }

// EncodeState writes what a type says before its values.
func (c *Column) EncodeState(b *proto.Buffer) {
	if c.typ.LowCard {
		b.PutInt64(lowCardVersion)
	}
}

// EncodeColumn writes the values.
func (c *Column) EncodeColumn(b *proto.Buffer) {
	var room [8][]byte
	for _, part := range c.parts(room[:0]) {
		b.PutRaw(part)
	}
}

// WriteColumn chains the values for a vectored write; they must stay as they are until it is flushed.
func (c *Column) WriteColumn(w *proto.Writer) {
	var room [8][]byte
	for _, part := range c.parts(room[:0]) {
		w.ChainWrite(part)
	}
}

// parts lists what the values are on the wire. All but the few bytes around LowCardinality keys alias the column.
func (c *Column) parts(dst [][]byte) [][]byte {
	switch {
	case c.typ.LowCard:
		return c.lowCardParts(dst)
	case c.typ.Array:
		return append(dst, c.ends, c.data)
	case c.typ.Nullable:
		return append(dst, c.nulls, c.data)
	}
	return append(dst, c.data)
}

func (c *Column) lowCardParts(dst [][]byte) [][]byte {
	width, packed := c.packKeys()
	head := make([]byte, 0, 16)
	head = binary.LittleEndian.AppendUint64(head, lowCardOwnKeys|lowCardNewDict|uint64(width))
	head = binary.LittleEndian.AppendUint64(head, uint64(c.elems))
	count := binary.LittleEndian.AppendUint64(nil, uint64(len(c.keys)))
	return append(dst, head, c.data, count, packed)
}

func (c *Column) packKeys() (width int, packed []byte) {
	switch {
	case c.elems <= math.MaxUint8:
		packed = make([]byte, len(c.keys))
		for i, k := range c.keys {
			packed[i] = byte(k)
		}
		return lowCardKeyBytes1, packed
	case c.elems <= math.MaxUint16:
		packed = make([]byte, 0, 2*len(c.keys))
		for _, k := range c.keys {
			packed = binary.LittleEndian.AppendUint16(packed, uint16(k))
		}
		return lowCardKeyBytes2, packed
	}
	packed = make([]byte, 0, 4*len(c.keys))
	for _, k := range c.keys {
		packed = binary.LittleEndian.AppendUint32(packed, k)
	}
	return lowCardKeyBytes4, packed
}
