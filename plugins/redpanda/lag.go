package redpanda

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// observe reports how many offsets the broker had, when it last answered, that are not committed yet, and since when the oldest
// of them waits.
func (p *partition) observe() {
	p.mu.Lock()
	lag := max(p.cut.end-max(p.committed.Load(), 0), 0)
	oldest := p.oldest()
	p.mu.Unlock()
	m := p.session.in.metrics
	m.lag.Set(lag, p.topic, p.name)
	switch {
	case lag == 0:
		m.oldest.Set(0, p.topic, p.name)
	case !oldest.IsZero(): // else it is not here yet, and the last one named is the nearest to it
		m.oldest.SetFloat64(float64(oldest.UnixMilli())/1000, p.topic, p.name)
	}
}

// oldest is the time of the oldest record here that is not committed; the caller holds mu.
func (p *partition) oldest() time.Time {
	if c := p.handed; c != nil && c.last >= p.committed.Load() && len(c.recs) > 0 {
		return c.recs[0].Timestamp
	}
	if len(p.cut.recs) > 0 {
		return p.cut.recs[0].Timestamp
	}
	return time.Time{}
}

// forget reports nothing unread: the partition's next owner tells.
func (p *partition) forget() {
	p.session.in.metrics.lag.Set(0, p.topic, p.name)
	p.session.in.metrics.oldest.Set(0, p.topic, p.name)
}

// tellRetention reports how long the broker keeps the topics' records, which tells how long a lag may last. Where it will not say,
// nothing but that metric is missing.
func (in *input) tellRetention(ctx context.Context, adm *kadm.Client) {
	described, err := adm.DescribeTopicConfigs(ctx, in.topics...)
	if err != nil {
		in.complain("Reading how long topics are kept: %v; grant DESCRIBE_CONFIGS on them, or their time to loss is not known", err)
		return
	}
	for _, t := range described {
		if t.Err != nil {
			in.complain("Reading how long topics are kept: %v; grant DESCRIBE_CONFIGS on them, or their time to loss is not known", t.Err)
			continue
		}
		if keeps := retention(t.Configs); keeps > 0 {
			in.metrics.retention.SetFloat64(keeps.Seconds(), t.Name)
		}
	}
}

// retention is 0 where records are kept for ever.
func retention(configs []kadm.Config) (keeps time.Duration) {
	deletes := true
	for _, c := range configs {
		switch c.Key {
		case "cleanup.policy":
			deletes = strings.Contains(c.MaybeValue(), "delete")
		case "retention.ms":
			ms, _ := strconv.ParseInt(c.MaybeValue(), 10, 64)
			keeps = time.Duration(max(ms, 0)) * time.Millisecond
		}
	}
	if !deletes {
		return 0
	}
	return keeps
}
