// Package broker serves a small Kafka API from one process with its data on
// disk, for the sandbox and for tests. It speaks groups, transactions, ACLs
// and SASL; it replicates nothing, so production needs a real broker.
package broker

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/ebbgate/ebbgate/internal/sandbox/child"
)

// Options say what to serve and where.
type Options struct {
	DataDir string // kept across restarts, also after SIGKILL
	Listen  string // loopback host:port; port 0 takes a free one
	// Sync makes every produced batch durable (fsync) before it is
	// acknowledged. Without it a crash of the machine, not of the process,
	// can lose what was acknowledged.
	Sync bool
	// Users switches SASL and ACLs on. One of them should be a superuser: it
	// alone can give rights to the others later.
	Users []User
	// Log takes warnings; nil drops them.
	Log io.Writer
	// Ready, when set, is called once with the address that answers.
	Ready func(address string)
}

// User may sign in with its mechanism. A superuser passes every ACL;
// another user may do what ACLs allow, in the broker's own terms.
type User struct {
	Mechanism string // "PLAIN", "SCRAM-SHA-256" or "SCRAM-SHA-512"
	Name      string
	Password  string
	Super     bool
	ACLs      []kfake.ACL
}

// Serve runs the broker until ctx ends.
func Serve(ctx context.Context, opts Options) error {
	cluster, err := Open(opts)
	if err != nil {
		return err
	}
	defer cluster.Close()
	if opts.Ready != nil {
		opts.Ready(cluster.ListenAddrs()[0])
	}
	<-ctx.Done()
	return nil
}

// Open starts the broker in this process. The caller closes the cluster,
// which writes its last state to disk.
func Open(opts Options) (*kfake.Cluster, error) {
	host, port, err := splitListen(opts.Listen)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(opts.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("creating the data directory: %w", err)
	}
	settings := []kfake.Opt{
		kfake.NumBrokers(1), kfake.Ports(port), kfake.DataDir(opts.DataDir),
		kfake.ClusterID("ebbgate-sandbox"), kfake.DefaultNumPartitions(1),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return net.Listen(network, net.JoinHostPort(host, port))
		}),
	}
	if opts.Sync {
		settings = append(settings, kfake.SyncWrites())
	}
	if opts.Log != nil {
		settings = append(settings, kfake.WithLogger(kfake.BasicLogger(opts.Log, kfake.LogLevelWarn)))
	}
	cluster, err := kfake.NewCluster(append(settings, access(opts.Users)...)...)
	if err != nil {
		return nil, fmt.Errorf("starting the broker on %s: %w", opts.Listen, err)
	}
	return cluster, nil
}

// access turns users into SASL and ACL settings; without users there are none.
func access(users []User) []kfake.Opt {
	if len(users) == 0 {
		return nil
	}
	opts := []kfake.Opt{kfake.EnableSASL(), kfake.EnableACLs()}
	for _, user := range users {
		if user.Super {
			opts = append(opts, kfake.Superuser(user.Mechanism, user.Name, user.Password))
			continue
		}
		opts = append(opts, kfake.User(user.Mechanism, user.Name, user.Password, user.ACLs...))
	}
	return opts
}

// splitListen takes a loopback host:port apart.
func splitListen(address string) (string, int, error) {
	if err := child.CheckLoopback(address); err != nil {
		return "", 0, err
	}
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("reading the address to listen on: %w", err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return "", 0, fmt.Errorf("reading the port to listen on: %w", err)
	}
	return host, port, nil
}
