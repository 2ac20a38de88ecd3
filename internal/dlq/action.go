package dlq

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/ebbgate/ebbgate/internal/kafka"
)

// Kinds of actions.
const (
	ActionShow    = "dlq.show"
	ActionReplay  = "dlq.replay"
	ActionDiscard = "dlq.discard"
)

// How far an action has come, as its records say one after the other.
const (
	begun  = "begun"
	marked = "marked" // these entries are done with
	ended  = "ended"
)

// Action is a record of the topic with role actions: what somebody did about events that were stored or held back. It holds no value
// of an event.
type Action struct {
	ID     string    `json:"action_id"`
	Kind   string    `json:"kind"`
	State  string    `json:"state"`
	At     time.Time `json:"at"`
	Who    string    `json:"who"`
	Why    string    `json:"why"`
	Filter *Filter   `json:"filter,omitempty"`
	// Correction is the SHA-256 of the mapping that changed the events.
	Correction string         `json:"correction_sha256,omitempty"`
	Entries    []string       `json:"entries,omitempty"`
	Counts     map[string]int `json:"counts,omitempty"`
}

// Errors of an action that does not say who answers for it.
var (
	ErrWhy = errors.New("--why: say why, in a sentence that an auditor understands")
	ErrWho = errors.New("--who: say who does it")
)

// newAction draws an id. Ids of later times sort later.
func newAction(kind, who, why string) (*Action, error) {
	if why == "" {
		return nil, ErrWhy
	}
	if who == "" {
		return nil, ErrWho
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("drawing an id: %w", err)
	}
	return &Action{ID: "act_" + hex.EncodeToString(id[:]), Kind: kind, Who: who, Why: why}, nil
}

// journal writes the records of one action.
type journal struct {
	action   Action
	topic    string
	producer *kafka.Producer
}

// write makes a record durable. Only the first one says what was chosen.
func (j *journal) write(ctx context.Context, state string, entries []string, counts map[string]int) error {
	a := j.action
	a.State, a.At, a.Entries, a.Counts = state, time.Now().UTC(), entries, counts
	if state != begun {
		a.Filter = nil
	}
	value, err := json.Marshal(&a)
	if err != nil {
		return fmt.Errorf("writing the action down: %w", err)
	}
	return j.producer.Write(ctx, j.topic, a.ID, value)
}

// became are the states that actions lead to.
var became = map[string]string{ActionReplay: Replayed, ActionDiscard: Discarded}
