package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ebbgate/ebbgate/internal/topics"
)

// maxCompactionLag bounds how long a superseded record of a state topic may stay readable.
const maxCompactionLag = 24 * time.Hour

// ApplyTopics brings a broker to what topics.yaml says, as far as nothing is lost by it: see Plan.Apply.
func ApplyTopics(ctx context.Context, adm *kadm.Client, set *topics.Set) ([]Change, error) {
	plan, err := PlanTopics(ctx, adm, set, false)
	if err != nil {
		return nil, err
	}
	return plan.Apply(ctx, adm)
}

// Apply makes the changes of the plan and returns those that were made, also when an error stops it half way. Nothing is begun
// when a change needs a permission that is not given. It never deletes a topic, lowers a partition count, revokes a permission or
// touches settings the file does not speak of.
func (p *Plan) Apply(ctx context.Context, adm *kadm.Client, given ...Permission) ([]Change, error) {
	if err := p.Refused(given...); err != nil {
		return nil, err
	}
	for i := 0; i < len(p.Changes); {
		done, err := p.applyAt(ctx, adm, i)
		if err != nil {
			return p.Changes[:i], err
		}
		i += done
	}
	return p.Changes, nil
}

// applyAt makes the change at i, and with it those that must be made at the same time: a topic that becomes one of cleanup delete
// must not have the broker's default retention in between.
func (p *Plan) applyAt(ctx context.Context, adm *kadm.Client, i int) (done int, err error) {
	c := p.Changes[i]
	t, _ := p.set.Topic(c.Topic)
	switch c.What {
	case changeTopic:
		return 1, create(ctx, adm, t)
	case changePartitions:
		return 1, raise(ctx, adm, t)
	case changeACL:
		return 1, createACL(ctx, adm, c.grant)
	default:
		together := p.sameTopic(i)
		return len(together), alter(ctx, adm, together)
	}
}

func create(ctx context.Context, adm *kadm.Client, t topics.Topic) error {
	res, err := adm.CreateTopic(ctx, int32(t.Partitions), int16(t.ReplicationFactor), pointers(settings(t)), t.Name)
	if err == nil {
		err = res.Err
	}
	if err != nil {
		return fmt.Errorf("creating topic %s: %w%s", t.Name, err, said(res.ErrMessage))
	}
	return nil
}

func said(message string) string {
	if message == "" {
		return ""
	}
	return " (" + message + ")"
}

func raise(ctx context.Context, adm *kadm.Client, t topics.Topic) error {
	res, err := adm.UpdatePartitions(ctx, t.Partitions, t.Name)
	if err == nil {
		err = res[t.Name].Err
	}
	if err != nil {
		return fmt.Errorf("raising the partitions of %s to %d: %w", t.Name, t.Partitions, err)
	}
	return nil
}

// settings are the topic settings the file speaks of.
func settings(t topics.Topic) map[string]string {
	out := map[string]string{"cleanup.policy": t.Cleanup}
	if t.Cleanup == "compact" {
		out["max.compaction.lag.ms"] = strconv.FormatInt(maxCompactionLag.Milliseconds(), 10)
	} else {
		retention := int64(-1)
		if t.Retention > 0 {
			retention = t.Retention.Milliseconds()
		}
		out["retention.ms"] = strconv.FormatInt(retention, 10)
	}
	if t.Compression != "" {
		out["compression.type"] = t.Compression
	}
	if t.MaxMessageBytes > 0 {
		out["max.message.bytes"] = strconv.Itoa(t.MaxMessageBytes)
	}
	return out
}

func pointers(m map[string]string) map[string]*string {
	out := make(map[string]*string, len(m))
	for name, value := range m {
		out[name] = &value
	}
	return out
}

// alter makes changes of settings of one topic in one request.
func alter(ctx context.Context, adm *kadm.Client, changes []Change) error {
	topic := changes[0].Topic
	var configs []kadm.AlterConfig
	for _, c := range changes {
		configs = append(configs, kadm.AlterConfig{Op: kadm.SetConfig, Name: c.What, Value: &c.To})
	}
	res, err := adm.AlterTopicConfigs(ctx, configs, topic)
	if err == nil && len(res) > 0 {
		err = res[0].Err
	}
	if err == nil && len(res) == 0 {
		err = errors.New("the broker did not answer for it")
	}
	if err != nil {
		return fmt.Errorf("setting %s of %s: %w", configs[0].Name, topic, err)
	}
	return nil
}
