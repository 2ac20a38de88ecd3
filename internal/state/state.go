// Package state answers one question: what do we know right now about a subject's consent, suppression and erasure, under whatever
// identifier anybody said so?
//
// Unavailable has one meaning here: wait. Read returns only what is current: every view has been read up to the end
// the broker reported after the call began, or the consent service has answered after the call began. Until then Read
// blocks, and it fails only when its context ends.
package state

import (
	"context"
	"errors"

	"github.com/ebbgate/ebbgate/internal/consent"
)

// ErrUnavailable is wrapped by every error of Read: the state could not be read before the context ended. Nothing may
// be decided from it.
var ErrUnavailable = errors.New("state unavailable")

// Lookup reads the current state of subjects. It is safe for concurrent use.
type Lookup interface {
	// Read returns the state of each key, in the order given. A key is a subject pseudonym. It blocks until the
	// state is current; the error wraps ErrUnavailable and the context's own error.
	//
	// What is said of any key linked to it holds of the key: its state is the most restrictive of all.
	Read(ctx context.Context, keys []string) ([]consent.State, error)
	// Linked returns for each key the others that belong to the same person, in no order. Of a person with more than
	// identity.Limit it returns none: Read says that they are unresolved. It waits and fails as Read does.
	Linked(ctx context.Context, keys []string) ([][]string, error)
	// Recorded is Read for those who write state: what lies under each key itself.
	Recorded(ctx context.Context, keys []string) ([]consent.State, error)
	// Close gives up this user's share of the views. Read must not be called after it.
	Close(ctx context.Context) error
}
