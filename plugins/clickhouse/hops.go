package clickhouse

import "github.com/ebbgate/ebbgate/internal/hop"

// outcomes are how records end, as the log names it.
var outcomes = [...]string{wanted: "delivered", present: "delivered", repeated: "repeated", denied: "denied"}

// logHops logs the sampled events of a chunk that is in.
func (o *output) logHops(c *chunk) {
	if o.cfg.hops == nil {
		return
	}
	for i := range c.records {
		r := &c.records[i]
		if hop.Sampled(o.cfg.hops, r.sealed.EventID) {
			o.cfg.hops.Write(hop.Line{
				EventID: r.sealed.EventID, CorrelationID: r.sealed.CorrelationID,
				Topic: c.topic, Partition: c.partition, Offset: r.ref.Offset,
				Destination: o.cfg.destination, Outcome: outcomes[r.fate], Attempt: c.of.Attempt,
			})
		}
	}
}
