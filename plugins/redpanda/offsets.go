package redpanda

import (
	"encoding/json"
	"errors"
)

// offsetSet is a few of a chunk's offsets, in order. In a note it is a bitmap, so that however many of the largest
// chunk's records are in it, it fits into the metadata of a commit.
type offsetSet []int64

// bitmap has bit i of its bytes set for offset From+i.
type bitmap struct {
	From int64  `json:"from"`
	Bits []byte `json:"bits"`
}

// MarshalJSON writes the bitmap.
func (s offsetSet) MarshalJSON() ([]byte, error) {
	if len(s) == 0 {
		return []byte("null"), nil
	}
	m := bitmap{From: s[0], Bits: make([]byte, (s[len(s)-1]-s[0])/8+1)}
	for _, offset := range s {
		at := offset - m.From
		m.Bits[at/8] |= 1 << (at % 8)
	}
	return json.Marshal(m)
}

// UnmarshalJSON reads it.
func (s *offsetSet) UnmarshalJSON(data []byte) error {
	var m bitmap
	if err := json.Unmarshal(data, &m); err != nil {
		return err
	}
	if m.From < 0 {
		return errors.New("a set of offsets begins below zero")
	}
	for i, bits := range m.Bits {
		for bit := range 8 {
			if bits&(1<<bit) != 0 {
				*s = append(*s, m.From+int64(8*i+bit))
			}
		}
	}
	return nil
}
