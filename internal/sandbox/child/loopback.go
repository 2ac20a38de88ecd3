package child

import (
	"fmt"
	"net"
)

// CheckLoopback refuses an address that another machine could reach: the
// sandbox's servers let anybody in.
func CheckLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("reading the address to listen on: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("reading the address to listen on: %q is not a loopback address such as 127.0.0.1", host)
	}
	return nil
}
