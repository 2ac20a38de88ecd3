package clickhouse

import (
	"encoding/binary"
	"math"
	"time"
)

// Column collects the values of one column in the form the wire wants them. Every Append method adds exactly one row,
// also when it reports false because the value does not fit the column: the row then holds the type's default, and the
// caller must not send the block. A Column is not safe for concurrent use.
type Column struct {
	name string
	typ  Type

	data   []byte // values, one after the other
	nulls  []byte // Nullable: 1 where there is none
	ends   []byte // Array: running element counts, 8 bytes each
	rows   int
	elems  int
	dict   map[string]uint32 // LowCardinality: text to key
	texts  []string          // LowCardinality: key to text
	keys   []uint32
	lastAt uint32 // LowCardinality: the key of the last text, which often comes again
}

const initialDict = 64

// NewColumn returns an empty column.
func NewColumn(name string, typ Type) *Column {
	c := &Column{name: name, typ: typ}
	if typ.LowCard {
		c.dict = make(map[string]uint32, initialDict)
	}
	c.Reset()
	return c
}

// Spec is the column's parsed type.
func (c *Column) Spec() Type { return c.typ }

// Rows counts the values.
func (c *Column) Rows() int { return c.rows }

// Reset empties the column and keeps its memory.
func (c *Column) Reset() {
	c.data, c.nulls, c.ends, c.keys = c.data[:0], c.nulls[:0], c.ends[:0], c.keys[:0]
	c.rows, c.elems = 0, 0
	if !c.typ.LowCard {
		return
	}
	clear(c.dict)
	c.texts = c.texts[:0]
	// Key 0 is the default: the empty text, or none where the column is Nullable; then key 1 is the empty text.
	c.lastAt = c.addText(nil)
	if c.typ.Nullable {
		delete(c.dict, "")
		c.lastAt = c.addText(nil)
	}
}

// AppendNone adds the value of a field that is absent: NULL where the column knows it, else the type's default.
func (c *Column) AppendNone() {
	switch {
	case c.typ.LowCard:
		c.keys = append(c.keys, 0)
		c.rows++
	case c.typ.Array:
		c.EndArray()
	default:
		c.zero()
		c.row(1)
	}
}

func (c *Column) row(null byte) {
	if c.typ.Nullable {
		c.nulls = append(c.nulls, null)
	}
	c.rows++
}

// zero adds a default value without making it a row.
func (c *Column) zero() {
	if c.typ.Kind == String {
		c.data = append(c.data, 0)
		return
	}
	for range c.typ.Size {
		c.data = append(c.data, 0)
	}
}

// AppendText adds a text to a String, LowCardinality, FixedString or UUID column. False: another kind, too long for
// the FixedString, or no UUID.
func (c *Column) AppendText(text []byte) bool {
	switch {
	case c.typ.Array:
		c.EndArray()
		return false
	case c.typ.LowCard:
		c.keys = append(c.keys, c.key(text))
		c.rows++
		return true
	}
	ok := true
	switch c.typ.Kind {
	case String:
		c.putString(text)
	case FixedString:
		ok = c.putFixed(text)
	case UUID:
		ok = c.putUUID(text)
	default:
		c.zero()
		ok = false
	}
	c.row(0)
	return ok
}

func (c *Column) putString(text []byte) {
	c.data = binary.AppendUvarint(c.data, uint64(len(text)))
	c.data = append(c.data, text...)
}

func (c *Column) putFixed(text []byte) bool {
	if len(text) > c.typ.Size {
		c.zero()
		return false
	}
	c.data = append(c.data, text...)
	for range c.typ.Size - len(text) {
		c.data = append(c.data, 0)
	}
	return true
}

func (c *Column) putUUID(text []byte) bool {
	high, low, ok := parseUUID(text)
	c.data = binary.LittleEndian.AppendUint64(c.data, high)
	c.data = binary.LittleEndian.AppendUint64(c.data, low)
	return ok
}

func (c *Column) key(text []byte) uint32 {
	if c.texts[c.lastAt] == string(text) {
		return c.lastAt
	}
	at, ok := c.dict[string(text)]
	if !ok {
		at = c.addText(text)
	}
	c.lastAt = at
	return at
}

func (c *Column) addText(text []byte) uint32 {
	at, own := uint32(c.elems), string(text)
	c.dict[own] = at
	c.texts = append(c.texts, own)
	c.putString(text)
	c.elems++
	return at
}

// AppendInt adds a whole number. False: another kind of column, or out of its range.
func (c *Column) AppendInt(n int64) bool {
	if c.typ.Kind == Uint {
		if n < 0 {
			return c.refuse()
		}
		return c.AppendUint(uint64(n))
	}
	if c.typ.Kind != Int || n < math.MinInt64>>(64-8*c.typ.Size) || n > math.MaxInt64>>(64-8*c.typ.Size) {
		return c.refuse()
	}
	c.putWord(uint64(n), c.typ.Size)
	c.row(0)
	return true
}

// AppendUint adds a whole number. False: another kind of column, or out of its range.
func (c *Column) AppendUint(n uint64) bool {
	if c.typ.Kind == Int && n <= math.MaxInt64 {
		return c.AppendInt(int64(n))
	}
	if c.typ.Kind != Uint || n > math.MaxUint64>>(64-8*c.typ.Size) {
		return c.refuse()
	}
	c.putWord(n, c.typ.Size)
	c.row(0)
	return true
}

// AppendFloat adds a number to a Float32 or Float64 column. False: another kind, or beyond the range of a Float32.
func (c *Column) AppendFloat(f float64) bool {
	switch {
	case c.typ.Kind != Float:
		return c.refuse()
	case c.typ.Size == 8:
		c.putWord(math.Float64bits(f), 8)
	case math.Abs(f) > math.MaxFloat32:
		return c.refuse()
	default:
		c.putWord(uint64(math.Float32bits(float32(f))), 4)
	}
	c.row(0)
	return true
}

// AppendBool adds a truth value to a Bool column. False: another kind.
func (c *Column) AppendBool(v bool) bool {
	if c.typ.Kind != Bool {
		return c.refuse()
	}
	var b byte
	if v {
		b = 1
	}
	c.data = append(c.data, b)
	c.row(0)
	return true
}

// AppendTime adds a time to a Date, Date32, DateTime or DateTime64 column. False: another kind, or out of its range.
func (c *Column) AppendTime(t time.Time) bool {
	n, ok := c.instant(t)
	if !ok {
		return c.refuse()
	}
	c.putWord(uint64(n), c.typ.Size)
	c.row(0)
	return true
}

func (c *Column) putWord(n uint64, size int) {
	switch size {
	case 1:
		c.data = append(c.data, byte(n))
	case 2:
		c.data = binary.LittleEndian.AppendUint16(c.data, uint16(n))
	case 4:
		c.data = binary.LittleEndian.AppendUint32(c.data, uint32(n))
	default:
		c.data = binary.LittleEndian.AppendUint64(c.data, n)
	}
}

// AppendElement adds a text to the array under construction of an Array(String) column; EndArray makes it a row.
func (c *Column) AppendElement(text []byte) {
	c.putString(text)
	c.elems++
}

// EndArray completes the row of an Array(String) column.
func (c *Column) EndArray() {
	c.ends = binary.LittleEndian.AppendUint64(c.ends, uint64(c.elems))
	c.rows++
}

// refuse adds the default in place of a value that does not fit.
func (c *Column) refuse() bool {
	c.AppendNone()
	return false
}
