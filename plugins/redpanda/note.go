package redpanda

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// position is what the group has committed for a partition.
type position struct {
	offset int64 // none: nothing was ever committed
	note   note
}

// note is what we write into the metadata of an offset commit, for whoever reads the partition next.
type note struct {
	Version int `json:"v"`
	// Limits are those in force for the chunk that begins at the committed offset.
	Limits limits `json:"limits"`
	// Last is where that chunk ends, if time decided it.
	Last *int64 `json:"last,omitempty"`
	// Settled are offsets of that chunk that are durable in quarantine.
	Settled offsetSet `json:"quarantined,omitempty"`
}

const noteVersion = 1

// maxChunkOffsets bounds a chunk, so that the note on any takes less than the 4096 bytes of metadata that brokers take.
const maxChunkOffsets = 16384

func (n note) encode() string {
	n.Version = noteVersion
	text, _ := json.Marshal(n) // numbers and bytes: nothing of it can fail
	return string(text)
}

// readNote understands metadata of ours. Metadata of other tools (a seek, another client) says nothing about chunks and
// gives an empty note; a note of a version we do not know must not be guessed at.
func readNote(metadata *string) (note, error) {
	var n note
	if metadata == nil || len(*metadata) == 0 || (*metadata)[0] != '{' {
		return n, nil
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(*metadata)))
	if err := dec.Decode(&n); err != nil || n.Version == 0 {
		return note{}, nil
	}
	if n.Version != noteVersion {
		return n, fmt.Errorf("reading the note on a commit: version %d was written by a newer ebbgate; run that version, or seek the group to its own offset to drop the note", n.Version)
	}
	return n, nil
}
