// Package repeats is the repeats processor: it stands first in a stream and takes out events that were sent again.
//
// Guarantee: of records of one partition that lie within the window and have the same id, one with the content of the one before
// it goes no further, and one with other content is quarantined as event.id_conflict. The answer depends on the log alone, so chunks
// that come again, kills and new owners do not change it. It is not known before the window has been read back from the topic; until
// then, and while the brokers cannot be reached, events wait.
//
// A record's id is its header event_id, else its key; its content is its header content_digest, else its value. Only programs of ours
// write to the topics it reads, so both are ours. A record with a header replay_id is sent through again on purpose: it goes on, and repeats
// of it are not looked for.
package repeats
