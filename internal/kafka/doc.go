// Package kafka holds what every component that talks to a Kafka-compatible broker shares: the connection fields of
// the configuration, the client built from them, the in-memory view of a compacted topic, and the application of
// pipelines/topics.yaml to a broker.
//
// Nothing here makes a network call while it is being constructed. A broker that is absent is waited for; a broker
// that refuses (authentication, authorization) is reported as what it is, and retried.
package kafka
