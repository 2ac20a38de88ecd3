// Package topics reads pipelines/topics.yaml: which topics exist, what each is for, how long it keeps data and who may read
// or write it. It is pure: applying the file to a broker is internal/kafka's part.
package topics

import "time"

// Role says which part of the flow a topic carries. A topic has a role or a destination, never both.
type Role string

// The roles a topic can have; at most one topic has each, but any number are inbound.
const (
	Inbound     Role = "inbound"
	Raw         Role = "raw"
	Validated   Role = "validated"
	Quarantine  Role = "quarantine"
	Decisions   Role = "decisions"
	Receipts    Role = "receipts"
	Consent     Role = "consent"
	Suppression Role = "suppression"
	Erasures    Role = "erasures"
	Keys        Role = "keys"
	Policies    Role = "policies"
	Identity    Role = "identity"
	Actions     Role = "actions"
)

// Topic is one declared topic. Retention 0 means for ever. MaxMessageBytes 0 and Compression "" leave the broker's default.
type Topic struct {
	Name              string
	Role              Role
	Destination       string
	Partitions        int
	ReplicationFactor int
	Retention         time.Duration
	Cleanup           string // delete or compact
	Compression       string
	MaxMessageBytes   int
	Read              []string // principals, as in "User:analyst"
	Write             []string
	Description       string
	Line              int
}

// GroupPrefix begins the names of all consumer groups that principals named in topics.yaml may use.
const GroupPrefix = "ebbgate"

// Set is the parsed file. It is immutable and safe for concurrent use.
type Set struct {
	File   string
	topics []Topic
	byName map[string]int // positions in topics, here and below
	byRole map[Role]int
	byDest map[string]int
}

// All returns the topics in the order of the file. The slice is the set's own: do not change it.
func (s *Set) All() []Topic { return s.topics }

// ByRole returns the topic with the role, which must not be Inbound.
func (s *Set) ByRole(r Role) (Topic, bool) {
	i, ok := s.byRole[r]
	if !ok {
		return Topic{}, false
	}
	return s.topics[i], true
}

// ByDestination returns the topic that carries the destination's sealed records.
func (s *Set) ByDestination(name string) (Topic, bool) {
	i, ok := s.byDest[name]
	if !ok {
		return Topic{}, false
	}
	return s.topics[i], true
}

// Topic returns the topic of that name.
func (s *Set) Topic(name string) (Topic, bool) {
	i, ok := s.byName[name]
	if !ok {
		return Topic{}, false
	}
	return s.topics[i], true
}

// DestinationOf returns the destination whose sealed records the topic carries; ok is false for every other topic.
func (s *Set) DestinationOf(topic string) (destination string, ok bool) {
	i, ok := s.byName[topic]
	if !ok || s.topics[i].Destination == "" {
		return "", false
	}
	return s.topics[i].Destination, true
}

// Outliving returns the topics of destinations that keep records longer than another topic does.
func (s *Set) Outliving(other Topic) []Topic {
	var longer []Topic
	for _, t := range s.topics {
		if t.Destination != "" && other.Retention > 0 && (t.Retention == 0 || t.Retention > other.Retention) {
			longer = append(longer, t)
		}
	}
	return longer
}
