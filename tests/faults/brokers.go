package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// injections are what brokers answer now and then. The first two are answered after the write was made.
var injections = []struct {
	name string
	key  kmsg.Key
	err  *kerr.Error
	each float64 // requests between two of them
}{
	{"produce: timed out after the write", kmsg.Produce, kerr.RequestTimedOut, 120},
	{"produce: too few replicas after the write", kmsg.Produce, kerr.NotEnoughReplicasAfterAppend, 160},
	{"produce: not the leader", kmsg.Produce, kerr.NotLeaderForPartition, 160},
	{"fetch: not the leader", kmsg.Fetch, kerr.NotLeaderForPartition, 300},
	{"commit: coordinator is loading", kmsg.OffsetCommit, kerr.CoordinatorLoadInProgress, 60},
	{"commit: not the coordinator", kmsg.OffsetCommit, kerr.NotCoordinator, 90},
}

const (
	leadersMoveEvery      = 1500 * time.Millisecond
	coordinatorsMoveEvery = 5 * time.Second
	leadersMoved          = "leaders moved"
	coordinatorsMoved     = "coordinators moved"
)

// serveBrokers runs three brokers of one process. listen holds their ports. They answer with errors at random, and move
// leaders and coordinators about.
func serveBrokers(ctx context.Context, dir, listen string, seed uint64, ready func(string)) error {
	var ports []int
	for text := range strings.SplitSeq(listen, ",") {
		port, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		ports = append(ports, port)
	}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(len(ports)), kfake.Ports(ports...), kfake.DataDir(dir), kfake.SyncWrites(), kfake.ClusterID("faults"),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return net.Listen(network, net.JoinHostPort("127.0.0.1", port))
		}),
	)
	if err != nil {
		return err
	}
	defer cluster.Close()
	if os.Getenv(envQuiet) != "" {
		ready(cluster.ListenAddrs()[0])
		<-ctx.Done()
		return nil
	}
	random, hits := rand.New(rand.NewPCG(seed, 3)), map[string]*kfake.FaultHandle{}
	for _, in := range injections {
		hits[in.name] = cluster.Fault(kfake.Fault{Keys: []kmsg.Key{in.key}, Err: in.err, Count: -1, When: func(kmsg.Request) bool {
			return random.Float64()*in.each < 1
		}})
	}
	ready(cluster.ListenAddrs()[0])
	moved := map[string]int{}
	leaders, coordinators := time.NewTicker(leadersMoveEvery), time.NewTicker(coordinatorsMoveEvery)
	for {
		select {
		case <-leaders.C:
			cluster.ShufflePartitionLeaders()
			moved[leadersMoved]++
		case <-coordinators.C:
			cluster.RehashCoordinators()
			moved[coordinatorsMoved]++
		case <-ctx.Done():
			return nil
		}
		for name, h := range hits {
			moved[name] = int(h.Hits())
		}
		// They will be killed, so they write down all the time what they did.
		if err := saveJSON(dir+".did."+strconv.FormatUint(seed, 10), moved); err != nil {
			return err
		}
	}
}

// injected sums what the brokers say they did.
func (r *rig) injected() map[string]int {
	sum := map[string]int{}
	files, _ := filepath.Glob(r.brokers.dir + ".did.*")
	for _, file := range files {
		text, err := os.ReadFile(file)
		did := map[string]int{}
		if err == nil && json.Unmarshal(text, &did) == nil {
			for name, n := range did {
				sum[name] += n
			}
		}
	}
	return sum
}

func saveJSON(file string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	next := file + ".next"
	if err := os.WriteFile(next, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(next, file)
}

func seeds(ports []int) kgo.Opt {
	var addresses []string
	for _, port := range ports {
		addresses = append(addresses, fmt.Sprintf("127.0.0.1:%d", port))
	}
	return kgo.SeedBrokers(addresses...)
}
