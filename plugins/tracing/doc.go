// Package tracing is the open_telemetry_collector tracer, which the engine's core does not ship.
//
// Guarantee: only spans of hops are exported. They hold topics, partitions, offsets, destinations, attempts and opaque ids,
// and never a value of an event. The engine's own spans, which quote what processors say of events, are not made.
//
// Failure: a batch of spans that a collector does not take is sent again for half a minute, then dropped, and the log says so at
// most twice a minute. What comes while the queue is full is dropped. Nothing a collector does stops or slows a stream.
package tracing
