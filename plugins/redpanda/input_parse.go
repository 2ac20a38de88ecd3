package redpanda

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/quarantine"
)

func newInput(conf *service.ParsedConfig, mgr *service.Resources) (*input, error) {
	in := &input{
		log:        mgr.Logger(),
		metrics:    newInputMetrics(mgr.Metrics()),
		complained: map[string]time.Time{},
		nackFirst:  100 * time.Millisecond,
		nackMost:   30 * time.Second,
	}
	for _, parse := range []func(*service.ParsedConfig) error{in.parseGroup, in.parseFetch, in.parseChunks, in.parsePacked, in.parseQuarantine} {
		if err := parse(conf); err != nil {
			return nil, err
		}
	}
	if err := in.parseTracing(conf, mgr); err != nil {
		return nil, err
	}
	var err error
	in.client, err = kafka.ParseClient(conf, mgr)
	return in, err
}

func (in *input) parseGroup(conf *service.ParsedConfig) (err error) {
	if in.topics, err = conf.FieldStringList(riFieldTopics); err != nil {
		return err
	}
	var epoch string
	for name, into := range map[string]*string{
		riFieldGroup: &in.group, riFieldInstanceID: &in.instanceID, riFieldStartOffset: &in.startOffset,
		riFieldBalancer: &in.balancer, riFieldReplayEpoch: &epoch,
	} {
		if *into, err = conf.FieldString(name); err != nil {
			return err
		}
	}
	if n, err := strconv.ParseUint(epoch, 10, 32); err == nil {
		in.replayEpoch = uint32(n)
	} else {
		return fmt.Errorf("reading %s: expected a whole number below 2^32", riFieldReplayEpoch)
	}
	if len(in.topics) == 0 || in.group == "" {
		return errors.New("reading topics and consumer_group: neither may be empty")
	}
	if conf.Contains(riFieldStartFromOldest) {
		oldest, err := conf.FieldBool(riFieldStartFromOldest)
		if err != nil {
			return err
		}
		if in.startOffset = startLatest; oldest {
			in.startOffset = startEarliest
		}
	}
	for name, into := range map[string]*time.Duration{
		riFieldSessionTimeout: &in.sessionTimeout, riFieldRebalanceTimeout: &in.rebalanceTimeout,
		riFieldHeartbeat: &in.heartbeat, riFieldFetchMaxWait: &in.fetchMaxWait, riFieldChunkPeriod: &in.period,
	} {
		if *into, err = kafka.ParseDuration(conf, name); err != nil {
			return err
		}
	}
	in.patience = in.rebalanceTimeout / 3
	return nil
}

func (in *input) parseFetch(conf *service.ParsedConfig) error {
	for name, into := range map[string]*int32{riFieldFetchMaxBytes: &in.fetchMaxBytes, riFieldFetchMaxPartBytes: &in.fetchMaxPartitionBytes} {
		n, err := parseSize(conf, name)
		if err != nil {
			return err
		}
		*into = int32(min(n, math.MaxInt32))
	}
	return nil
}

func (in *input) parseChunks(conf *service.ParsedConfig) error {
	if conf.Contains(riFieldMemoryLimit) {
		limit, err := parseSize(conf, riFieldMemoryLimit)
		if err != nil {
			return err
		}
		in.limits = limitsWithin(limit)
		in.fetchMaxBytes = int32(min(int64(in.fetchMaxBytes), max(limit/24, minFetch)))
		in.fetchMaxPartitionBytes = min(in.fetchMaxPartitionBytes, max(in.fetchMaxBytes/4, minFetch))
		return nil
	}
	offsets, err := conf.FieldInt(riFieldChunkOffsets)
	if err != nil {
		return err
	}
	size, err := parseSize(conf, riFieldChunkBytes)
	if err != nil {
		return err
	}
	if offsets < 1 || offsets > maxChunkOffsets {
		return fmt.Errorf("reading chunk_offsets: it must be at least 1 and at most %d", maxChunkOffsets)
	}
	in.limits = limits{Offsets: int64(offsets), Bytes: size}
	return nil
}

func (in *input) parsePacked(conf *service.ParsedConfig) (err error) {
	in.packed, err = conf.FieldBool(riFieldPacked)
	return err
}

// minFetch is the least a fetch is bounded to; the broker sends a larger record all the same.
const minFetch = 128 << 10

// limitsWithin divides a memory limit: six partitions with one chunk under way, two read ahead and one being fetched.
func limitsWithin(memory int64) limits {
	size := min(max(memory/24, 128<<10), 16<<20)
	offsets := int64(1) << (bits.Len64(uint64(size/1024)) - 1) // events are about 1 KiB
	return limits{Offsets: min(max(offsets, 256), maxChunkOffsets), Bytes: size}
}

func (in *input) parseQuarantine(conf *service.ParsedConfig) (err error) {
	conf = conf.Namespace(riFieldQuarantine)
	if in.quarantineTopic, err = conf.FieldString(riFieldQuarantineTopic); err != nil {
		return err
	}
	if in.stage, err = conf.FieldString(riFieldQuarantineStage); err != nil {
		return err
	}
	if in.maxAttempts, err = conf.FieldInt(riFieldQuarantineAttempts); err != nil {
		return err
	}
	if in.maxAttempts < 1 {
		return errors.New("reading quarantine.max_attempts: it must be at least 1")
	}
	if in.quarantineTopic == "" {
		return nil
	}
	ring, err := keys.FromEnvironment()
	if err != nil {
		return fmt.Errorf("reading the keys that encrypt the quarantine: %w", err)
	}
	in.cipher = quarantine.NewCipher(ring)
	return nil
}

// parseSize reads a size in bytes, such as 4MiB.
func parseSize(conf *service.ParsedConfig, path ...string) (int64, error) {
	text, err := conf.FieldString(path...)
	if err != nil {
		return 0, err
	}
	n, err := humanize.ParseBytes(text)
	if err != nil || n == 0 || n > math.MaxInt64 {
		return 0, fmt.Errorf("reading %s: expected a size above zero such as 512KiB or 4MiB", path[len(path)-1])
	}
	return int64(n), nil
}
