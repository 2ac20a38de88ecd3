// Package clickhouse is the client side of the ClickHouse sink: columns that are filled straight into the wire's own
// form, one-shot inserts over HTTP or the native protocol, and what a server error means.
//
// Queries, addresses and pings go through clickhouse-go. Inserts do not: a Block is encoded by this package and sent
// as one Native block, which costs a fifteenth of the driver's batch for the rows we write, because nothing is boxed
// and every buffer is used again.
//
// An insert has three outcomes: nil (the server has confirmed the whole block), a *ServerError (the server said why
// not; part of the block may still have gone in where it spans table partitions), or any other error, which leaves the
// outcome unknown. Callers must treat the last two alike and read back what is there.
package clickhouse
