package plugtest

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Broker starts a Kafka API in this process that lives as long as the test:
// one broker, in memory, unless opts say otherwise. It returns the seed
// brokers and the cluster, through which a test injects faults.
func Broker(t testing.TB, opts ...kfake.Opt) ([]string, *kfake.Cluster) {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.DefaultNumPartitions(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster.ListenAddrs(), cluster
}

// BrokerProcess starts a broker in a process of its own with its data on
// disk, synchronously written, which the test may kill and start again.
func BrokerProcess(t testing.TB) *Process {
	t.Helper()
	return newProcess(t, roleBroker, "")
}
