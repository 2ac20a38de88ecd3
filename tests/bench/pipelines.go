package main

import (
	"fmt"
	"strings"
)

const (
	topicEvents = "events.validated"
	workspace   = "tests/bench/workspace"
)

// place is where one run reads and writes.
type place struct {
	Brokers  string
	DSN      string // with the database of the run
	Group    string
	Packed   bool   // a chunk is one message of the engine
	TokenKey string // id of the master key, which tokens name
	Address  string // where a door listens
	KeyHash  string // of the key that a collector's source has
}

func (p place) input() string {
	return fmt.Sprintf(`
input:
  redpanda:
    seed_brokers: [ %q ]
    topics: [ %s ]
    consumer_group: %s
    memory_limit: 32MiB
    packed: %t
`, p.Brokers, topicEvents, p.Group, p.Packed)
}

const quietly = `
metrics: { none: {} }
http: { enabled: false }
`

// ebbgate is the whole job in one stream, as a team would write it.
func (p place) ebbgate() string {
	return quietly + p.input() + fmt.Sprintf(`
pipeline:
  threads: 1
  processors:
    - consent:
        workspace: %[1]s
        stage: govern
        state: { seed_brokers: [ %[2]q ] }
    - redact: { workspace: %[1]s }
output:
  clickhouse:
    workspace: %[1]s
    dsn: %[3]s
    destination: analytics
    columns:
      account_id: subject.account_id
      session_id: properties.session_id
      plan: properties.plan
      country: properties.country
      trial: properties.trial
      paid: properties.paid
      seats: properties.seats
      duration_ms: properties.duration_ms
      amount: properties.amount
      email: properties.email
    state: { seed_brokers: [ %[2]q ] }
    records:
      redpanda:
        workspace: %[1]s
        seed_brokers: [ %[2]q ]
        topic: ${! @topic }
`, workspace, p.Brokers, p.DSN)
}

// mutation is the same policy in the engine's own language. The token has the length of ours, so that payloads can be
// compared byte for byte.
func mutation(key string) string {
	return fmt.Sprintf(`
let allowed = this.consent.analytics.or(false) == true
root.context.ip = deleted()
root.context.user_agent = deleted()
root.properties.phone = deleted()
root.properties.email = if $allowed { "t1.%s." + this.properties.email.hash("hmac_sha256", "a key of thirty-two bytes length").encode("hex").slice(0, 26) }
root = if !$allowed { deleted() }
`, key)
}

const argsMapping = `
root = [
  this.event_id,
  this.event_name,
  this.timestamp.ts_parse("2006-01-02T15:04:05.999999999Z07:00"),
  this.received_at.ts_parse("2006-01-02T15:04:05.999999999Z07:00"),
  this.subject.account_id,
  this.context.source,
  this.properties.session_id,
  this.properties.plan,
  this.properties.country,
  this.properties.trial,
  this.properties.paid,
  this.properties.seats.uint16(),
  this.properties.duration_ms.uint32(),
  this.properties.amount.float64(),
  this.properties.email,
  this.properties.format_json(no_indent: true).string(),
  @kafka_topic,
  @kafka_partition.int32(),
  @kafka_offset.int64(),
  @kafka_topic,
  @kafka_partition.int32(),
  @kafka_offset.int64(),
  0.uint32(),
]
`

// baseline is the same job with what the engine brings, and rows through database/sql.
func (p place) baseline() string {
	return quietly + p.input() + fmt.Sprintf(`
pipeline:
  threads: 1
  processors:
    - mutation: |%s
output:
  sql_rows:
    dsn: %s?compress=lz4
    insert: INSERT INTO events
    args_mapping: |%s
`, indent(mutation(p.TokenKey)), p.DSN, indent(argsMapping))
}

func indent(text string) string { return strings.ReplaceAll(text, "\n", "\n        ") }
