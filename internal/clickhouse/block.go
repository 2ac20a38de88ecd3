package clickhouse

import (
	"encoding/binary"
	"fmt"

	"github.com/ClickHouse/ch-go/proto"
)

// Block is the rows of one insert, by column. It is reused: Reset keeps its memory. It is not safe for concurrent use.
type Block struct {
	cols  []*Column
	input proto.Input
	head  []byte
	parts [][]byte
}

// NewBlock returns an empty block of the columns given, which it owns from now on.
func NewBlock(cols ...*Column) *Block {
	b := &Block{cols: cols}
	for _, c := range cols {
		b.input = append(b.input, proto.InputColumn{Name: c.name, Data: c})
	}
	return b
}

// Column returns column i.
func (b *Block) Column(i int) *Column { return b.cols[i] }

// Rows counts the rows.
func (b *Block) Rows() int {
	if len(b.cols) == 0 {
		return 0
	}
	return b.cols[0].rows
}

// Reset empties the block.
func (b *Block) Reset() {
	for _, c := range b.cols {
		c.Reset()
	}
}

// even reports an error when the columns differ in length: a bug that must not reach the server.
func (b *Block) even() error {
	for _, c := range b.cols {
		if c.rows != b.Rows() {
			return fmt.Errorf("column %s has %d rows, expected %d", c.name, c.rows, b.Rows())
		}
	}
	return nil
}

// native lists the parts of the block in Native format, revision 0, which is what HTTP takes. They alias the block.
func (b *Block) native() [][]byte {
	b.parts, b.head = b.parts[:0], b.head[:0]
	// The heads are cut from one buffer whose size is known, so that it does not move while parts point into it.
	size := 2 * binary.MaxVarintLen64
	for _, c := range b.cols {
		size += len(c.name) + len(c.typ.Text) + 2*binary.MaxVarintLen64 + 8
	}
	if cap(b.head) < size {
		b.head = make([]byte, 0, size)
	}
	b.head = binary.AppendUvarint(b.head, uint64(len(b.cols)))
	b.head = binary.AppendUvarint(b.head, uint64(b.Rows()))
	start := 0
	for _, c := range b.cols {
		b.head = appendText(b.head, c.name)
		b.head = appendText(b.head, c.typ.Text)
		if c.typ.LowCard {
			b.head = binary.LittleEndian.AppendUint64(b.head, lowCardVersion)
		}
		b.parts = append(b.parts, b.head[start:len(b.head):len(b.head)])
		start = len(b.head)
		b.parts = c.parts(b.parts)
	}
	return b.parts
}

func appendText(dst []byte, text string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(text)))
	return append(dst, text...)
}
