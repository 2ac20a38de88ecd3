package clickhouse

import (
	"context"
	"fmt"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// stageExport is where a sink's decisions are made.
const stageExport = "export"

// denying is the line that denies a record whose purposes do not all hold.
func (r *exportRules) denying(rec *record, v *consent.Verdict) string {
	switch storage := rec.need.storage; {
	case v.Erased:
		return r.unlessRule
	case storage != 0 && v.Holds(rec.need.purpose):
		return r.storageRule[rec.sealed.Class]
	}
	return r.purposeRule
}

// recordDenials writes a decision for each record that was denied here. They are durable before the chunk counts as delivered: a
// chunk that comes again decides again, and its decisions have the same ids for as long as the answer is the same.
func (o *output) recordDenials(ctx context.Context, c *chunk) error {
	if o.cfg.records == nil || c.count(denied) == 0 {
		return nil
	}
	w := c.layout.take()
	defer c.layout.give(w)
	var batch service.MessageBatch
	for i := range c.records {
		if r := &c.records[i]; r.fate == denied {
			batch = append(batch, o.denial(r, c.rules.version, string(w.eventName(r))))
		}
	}
	if err := o.cfg.records.WriteBatch(ctx, batch); err != nil {
		return fmt.Errorf("writing decisions about denials at export: %w", err)
	}
	return nil
}

func (o *output) denial(r *record, policy, eventName string) *service.Message {
	d := consent.Decision{
		EventID: r.sealed.EventID, EventName: eventName, Destination: o.cfg.destination, Verdict: consent.Denied,
		Reason: r.reason, Rule: r.rule, Policy: policy, ConsentVersion: r.version, Stage: stageExport,
	}
	msg := r.msg.Copy()
	stage.SetDecision(msg, d.Append(nil))
	stage.Route(msg, o.cfg.decisions, r.sealed.Key)
	return msg
}

// decisionsTopic is where decisions go.
func decisionsTopic(rt *stage.Runtime) (string, error) {
	decisions, ok := rt.Topics.ByRole(topics.Decisions)
	if !ok {
		return "", fmt.Errorf("%s/topics.yaml: no topic has role decisions: add privacy.decisions with role: decisions", rt.Dir)
	}
	return decisions.Name, nil
}
