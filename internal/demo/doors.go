package demo

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// The shipped doors in the workspace, and by which variables each learns where to listen.
const (
	doorFile        = "doors/webhooks.yaml"
	envDoorAddress  = "EBBGATE_WEBHOOK_ADDRESS"
	collectorFile   = "doors/collector.yaml"
	envCollector    = "EBBGATE_COLLECTOR_ADDRESS"
	envCollectorURL = "EBBGATE_COLLECTOR_URL"
)

// doors are where the workspace's doors listen; empty for one it does not have.
type doors struct{ webhooks, collector string }

// findDoors gives each door a place of its own. The usual ones may be another run's by the time the door listens, and what is
// delivered there would go astray.
func findDoors(workspace string) (d doors, err error) {
	if d.webhooks, err = freeDoor(workspace, doorFile); err == nil {
		d.collector, err = freeDoor(workspace, collectorFile)
	}
	return d, err
}

func freeDoor(workspace, file string) (string, error) {
	if _, err := os.Stat(filepath.Join(workspace, file)); err != nil {
		return "", nil
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("finding an address for %s: %w", file, err)
	}
	return ln.Addr().String(), ln.Close()
}

func (d doors) files(workspace string) (files []string) {
	if d.webhooks != "" {
		files = append(files, filepath.Join(workspace, doorFile))
	}
	if d.collector != "" {
		files = append(files, filepath.Join(workspace, collectorFile))
	}
	return files
}

func (d doors) environment() []string {
	return []string{envDoorAddress + "=" + d.webhooks, envCollector + "=" + d.collector, envCollectorURL + "=http://" + d.collector}
}
