package demo

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// The shipped doors in the workspace, where each would listen, and by which variables it learns of another place.
const (
	doorFile         = "doors/webhooks.yaml"
	doorAddress      = "127.0.0.1:8081"
	envDoorAddress   = "EBBGATE_WEBHOOK_ADDRESS"
	collectorFile    = "doors/collector.yaml"
	collectorAddress = "127.0.0.1:8080"
	envCollector     = "EBBGATE_COLLECTOR_ADDRESS"
	envCollectorURL  = "EBBGATE_COLLECTOR_URL"
)

// doors are where the workspace's doors listen; empty for one it does not have.
type doors struct{ webhooks, collector string }

// findDoors gives each door its own place where that is free, else any.
func findDoors(workspace string) (d doors, err error) {
	if d.webhooks, err = freeDoor(workspace, doorFile, doorAddress); err == nil {
		d.collector, err = freeDoor(workspace, collectorFile, collectorAddress)
	}
	return d, err
}

func freeDoor(workspace, file, wanted string) (string, error) {
	if _, err := os.Stat(filepath.Join(workspace, file)); err != nil {
		return "", nil
	}
	for _, address := range []string{wanted, "127.0.0.1:0"} {
		if ln, err := net.Listen("tcp", address); err == nil {
			address = ln.Addr().String()
			return address, ln.Close()
		}
	}
	return "", fmt.Errorf("finding an address for %s: no port of this machine is free", file)
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
