// Package redpanda holds the input and the output redpanda: the ends of every stream that reads or writes topics.
//
// # What the input guarantees
//
// At least once, in order per partition, in chunks that come back the same. A chunk is offsets first to last of one
// partition and becomes one batch. Full chunks end where arithmetic on offsets (or the sizes of the records) says.
// A chunk that ends because time passed is first written down as an intent in the metadata of the group's offset
// commit; whoever reads the partition next, after a crash or a rebalance, cuts the same chunk from it. One chunk per
// partition is under way at a time, and its offset is committed once all of it was acknowledged.
//
// # How the input fails
//
// A nack replays the same chunk from memory, with a growing pause, for ever: an outage costs time and never an event.
// Only stage.PermanentError counts attempts, for the records it names; after quarantine.max_attempts these are written,
// encrypted, to the quarantine topic, and the same chunk is replayed with placeholders in their stead. Acknowledgements
// of partitions that were taken away are dropped. An offset that the broker no longer has stops the input with an error
// that names it; nothing is skipped.
//
// # What the output guarantees
//
// A batch is acknowledged when every record of it is durable on the broker (acks=all, idempotent producer), and fails as
// a whole otherwise. Records are produced in the order of the batch; a batch that failed in part comes again and is written
// whole, so a record may stand behind later ones, which sinks look up. Nothing is written to a destination's topic unless
// it was sealed in this process for that destination, topic and key and its bytes have not changed since.
package redpanda
