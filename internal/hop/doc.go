// Package hop tells what happened to single events on their way: spans that link across topics, and one log line per
// sampled event and hop.
//
// Neither ever holds a value of an event. What identifies an event is its event_id and correlation_id, which are opaque,
// and where it was read. Both are off the way of events that are not sampled, and nothing here can fail a batch.
package hop
