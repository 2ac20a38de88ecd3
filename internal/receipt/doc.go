// Package receipt is the record of one delivery attempt at the webhook door: who delivered, whether the signature was good,
// how it was answered, and where the raw record is. It holds no payload, so it may be kept long and read by people who
// may not see the data. A receipt is written once and never changed; what became of the delivery is told by later records.
package receipt
