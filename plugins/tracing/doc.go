// Package tracing is the open_telemetry_collector tracer, which the engine's core does not ship.
//
// Guarantee: only spans of hops are exported. They hold topics, partitions, offsets, destinations, attempts and opaque ids,
// and never a value of an event. The engine's own spans, which quote what processors say of events, are not made.
//
// Failure: spans that a collector does not take, or not fast enough, are dropped, and the log says so at most twice a minute.
// Nothing a collector does stops or slows a stream.
package tracing
