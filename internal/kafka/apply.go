package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/ebbgate/ebbgate/internal/topics"
)

// Change is one thing that ApplyTopics did, or kept as it was on purpose.
type Change struct {
	Topic string `json:"topic"` // empty for what is not of a topic
	What  string `json:"what"`  // topic, partitions, acl, or the name of a topic setting
	From  string `json:"from"`
	To    string `json:"to"`
	// Kept says why nothing was done about the difference; empty if it was.
	Kept string `json:"kept,omitempty"`
}

// maxCompactionLag bounds how long a superseded record of a state topic may stay readable.
const maxCompactionLag = 24 * time.Hour

// ApplyTopics brings a broker to what topics.yaml says: topics that are missing are created, partition counts raised,
// settings set. It never deletes a topic, lowers a partition count or touches settings the file does not speak of.
// Run again, it changes nothing. The changes made are returned also when an error stops it half way.
func ApplyTopics(ctx context.Context, adm *kadm.Client, set *topics.Set) ([]Change, error) {
	details, err := adm.ListTopics(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing topics: %w", err)
	}
	var changes []Change
	var known []topics.Topic
	for _, t := range set.All() {
		if details.Has(t.Name) {
			known = append(known, t)
			continue
		}
		if err := create(ctx, adm, t); err != nil {
			return changes, err
		}
		changes = append(changes, Change{Topic: t.Name, What: "topic", To: fmt.Sprintf("%d partitions, %s", t.Partitions, t.Cleanup)})
	}
	for _, t := range known {
		change, err := raise(ctx, adm, t, len(details[t.Name].Partitions))
		if err != nil {
			return changes, err
		}
		changes = append(changes, change...)
	}
	more, err := configure(ctx, adm, known)
	return append(changes, more...), err
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

func raise(ctx context.Context, adm *kadm.Client, t topics.Topic, have int) ([]Change, error) {
	change := Change{Topic: t.Name, What: "partitions", From: strconv.Itoa(have), To: strconv.Itoa(t.Partitions)}
	switch {
	case have == t.Partitions:
		return nil, nil
	case have > t.Partitions:
		change.Kept = "partitions are never taken away"
		return []Change{change}, nil
	}
	res, err := adm.UpdatePartitions(ctx, t.Partitions, t.Name)
	if err == nil {
		err = res[t.Name].Err
	}
	if err != nil {
		return nil, fmt.Errorf("raising the partitions of %s to %d: %w", t.Name, t.Partitions, err)
	}
	return []Change{change}, nil
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

func configure(ctx context.Context, adm *kadm.Client, known []topics.Topic) ([]Change, error) {
	if len(known) == 0 {
		return nil, nil
	}
	names := make([]string, len(known))
	for i, t := range known {
		names[i] = t.Name
	}
	described, err := adm.DescribeTopicConfigs(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("reading the settings of topics: %w", err)
	}
	var changes []Change
	for _, t := range known {
		have, err := described.On(t.Name, nil)
		if err == nil {
			err = have.Err
		}
		if err != nil {
			return changes, fmt.Errorf("reading the settings of %s: %w", t.Name, err)
		}
		more, err := configureOne(ctx, adm, t, have)
		if err != nil {
			return changes, err
		}
		changes = append(changes, more...)
	}
	return changes, nil
}

func configureOne(ctx context.Context, adm *kadm.Client, t topics.Topic, have kadm.ResourceConfig) ([]Change, error) {
	current := map[string]string{}
	for _, c := range have.Configs {
		if c.Value != nil {
			current[c.Key] = *c.Value
		}
	}
	want := settings(t)
	var alter []kadm.AlterConfig
	var changes []Change
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if value := want[name]; current[name] != value {
			alter = append(alter, kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &value})
			changes = append(changes, Change{Topic: t.Name, What: name, From: current[name], To: value})
		}
	}
	if len(alter) == 0 {
		return nil, nil
	}
	res, err := adm.AlterTopicConfigs(ctx, alter, t.Name)
	if err == nil && len(res) > 0 {
		err = res[0].Err
	}
	if err == nil && len(res) == 0 {
		err = errors.New("the broker did not answer for it")
	}
	if err != nil {
		return nil, fmt.Errorf("setting %s of %s: %w", alter[0].Name, t.Name, err)
	}
	return changes, nil
}
