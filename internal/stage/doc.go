// Package stage is what our Benthos components share: the names of the metadata they exchange, the index that rides
// along with a message, and the guard that turns whatever goes wrong into a quarantine record.
//
// The engine lets the original message go on when a processor fails. Nothing here ever does: a message leaves a stage
// transformed, or as a quarantine record whose payload is encrypted, or the batch is not acknowledged.
package stage
