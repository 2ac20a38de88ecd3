package event

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"slices"
)

const idLength = 26 // characters of five bits: 130 bits of the hash

var idEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// DeriveID makes the event_id of an event that its provider numbers: the same pair always gives the same id, `evt_` and
// 26 characters. The same provider id from two sources gives two ids.
func DeriveID(source, providerID string) string {
	return idOf(appendSized(appendSized([]byte("ebbgate event id 1 provider"), source), providerID))
}

// DeriveIDFromBody makes the event_id of an event nobody numbers from all that it says: the order of names, white space
// and the spelling of escapes make no difference, received_at and event_id are left out, and numbers count as written.
// Fields in except are left out too: what a sender changes when it sends the event again.
func DeriveIDFromBody(source string, ix *Index, except ...Field) string {
	input := appendSized([]byte("ebbgate event id 1 body"), source)
	return idOf(ix.appendSorted(input, 0, except))
}

func idOf(input []byte) string {
	sum := sha256.Sum256(input)
	return "evt_" + idEncoding.EncodeToString(sum[:])[:idLength]
}

func appendSized(dst []byte, text string) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(text)))
	return append(dst, text...)
}

// appendSorted writes a value in canonical form with the members of every object in the order of their unescaped names.
func (ix *Index) appendSorted(dst []byte, at uint32, except []Field) []byte {
	n := &ix.Nodes[at]
	if n.Kind != Object && n.Kind != Array {
		return AppendValue(dst, Value{ix: ix, pos: at})
	}
	var room [16]Value
	members := room[:0]
	for child := at + 1; child < n.Next; child = ix.Nodes[child].Next {
		if f := ix.Nodes[child].Field; f != EventID && f != ReceivedAt && !slices.Contains(except, f) {
			members = append(members, Value{ix: ix, pos: child})
		}
	}
	if n.Kind == Object {
		slices.SortFunc(members, func(a, b Value) int {
			return bytes.Compare(a.Key(nil), b.Key(nil))
		})
	}
	dst = append(dst, ix.Buf[n.Start])
	for i, v := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		if n.Kind == Object {
			dst = append(AppendKey(dst, v), ':')
		}
		dst = ix.appendSorted(dst, v.pos, except)
	}
	return append(dst, ix.Buf[n.End-1])
}
