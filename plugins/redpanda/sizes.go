package redpanda

import (
	"context"
	"math"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// recordOverhead is what a record batch of one record takes beside keys, values and headers.
const recordOverhead = 128

// batchSize bounds what a batch that holds the record alone takes.
func batchSize(rec *kgo.Record) int64 {
	return sizeOf(rec) - recordCost + recordOverhead + int64(16*len(rec.Headers))
}

// learnLimits asks the broker how large the records of our topics may be. Where it does not say, what topics.yaml or
// the configuration says holds.
func (o *output) learnLimits(ctx context.Context, cl *kgo.Client) {
	limits := map[string]int64{}
	var names []string
	for _, t := range o.topics.All() {
		names = append(names, t.Name)
		limits[t.Name] = o.maxBytes
		if t.MaxMessageBytes > 0 {
			limits[t.Name] = int64(t.MaxMessageBytes)
		}
	}
	if len(names) > 0 {
		configs, err := kadm.NewClient(cl).DescribeTopicConfigs(ctx, names...)
		if err != nil {
			o.log.Debugf("The broker does not tell the limits of topics: %v", err)
		}
		for _, config := range configs {
			if n, ok := maxMessageBytes(config); ok {
				limits[config.Name] = n
			}
		}
	}
	for topic, s := range o.shown {
		if limits[topic] == s.known {
			limits[topic] = s.takes
		}
	}
	o.limits.Store(&limits)
}

// shown is what a topic turned out to take, as long as nothing else is known about it than was then.
type shown struct{ known, takes int64 }

func maxMessageBytes(config kadm.ResourceConfig) (int64, bool) {
	if config.Err != nil {
		return 0, false
	}
	for _, c := range config.Configs {
		if c.Key == "max.message.bytes" && c.Value != nil {
			n, err := strconv.ParseInt(*c.Value, 10, 32)
			return n, err == nil && n >= minLimit
		}
	}
	return 0, false
}

const minLimit = 512

// limit is the largest batch, and so the largest record, of a topic.
func (o *output) limit(topic string) int64 {
	n, ok := (*o.limits.Load())[topic]
	if !ok {
		n = o.maxBytes
	}
	return min(max(n, minLimit), math.MaxInt32/2)
}

// tooLarge is told of a batch that the broker did not take, and of the largest record in it. The client is made anew, with
// a lower limit: what the broker says by now, or else smaller batches, until the largest record has failed alone. From
// then on it is refused before anything of its chunk is written. Of several batches of one client the first is heard.
func (o *output) tooLarge(used *kgo.Client, topic string, largest int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cl.Load() != used {
		return
	}
	limit := (*o.limits.Load())[topic]
	s := o.shown[topic]
	if limit != s.takes {
		s.known = limit
	}
	if s.takes = max(limit/2, largest); limit <= largest {
		s.takes = largest - 1
	}
	o.shown[topic] = s
	o.cl.Store(nil) // Connect asks again
	used.Close()
}
