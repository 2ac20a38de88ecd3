package mask

import (
	"fmt"
	"net/netip"
)

// Bounds and defaults of TruncateIP. Above the bounds an address still points at one household or host.
const (
	maxIPv4Bits     = 24
	maxIPv6Bits     = 64
	defaultIPv4Bits = 24
	defaultIPv6Bits = 48
	sixToFourBits   = 16 // the prefix 2002::/16, before the IPv4 address it carries
)

var errIP = &Error{"mask.ip", "one IPv4 or IPv6 address without zone, port or brackets"}

var sixToFour = netip.MustParsePrefix("2002::/16")

type truncateIP struct{ v4, v6 int }

// TruncateIP keeps the first v4 (0 to 24) bits of an IPv4 address and the first v6 (0 to 64) bits of an IPv6 address, and
// zeroes the rest. An IPv4 address that is written as IPv6 (::ffff:203.0.113.9) counts and comes out as IPv4, and of the
// one inside a 6to4 address no more than v4 bits stay.
func TruncateIP(v4, v6 int) (Transform, error) {
	if v4 < 0 || v4 > maxIPv4Bits || v6 < 0 || v6 > maxIPv6Bits {
		return nil, fmt.Errorf("truncate_ip: v4 must be 0 to %d and v6 0 to %d bits", maxIPv4Bits, maxIPv6Bits)
	}
	return truncateIP{v4, v6}, nil
}

func (truncateIP) Name() string { return "truncate_ip" }

func (truncateIP) Kinds() Kinds { return String }

func (t truncateIP) Append(dst, text []byte) ([]byte, error) {
	if !isAddressText(text) { // a zone, for one, names an interface of the sender's machine
		return dst, errIP
	}
	address, err := netip.ParseAddr(view(text))
	if err != nil {
		return dst, errIP
	}
	address = address.Unmap()
	bits := t.v6
	if address.Is4() {
		bits = t.v4
	} else if sixToFour.Contains(address) {
		bits = min(bits, sixToFourBits+t.v4)
	}
	network, err := address.Prefix(bits)
	if err != nil {
		return dst, errIP
	}
	return network.Addr().AppendTo(dst), nil
}

// isAddressText tells most of what is no address without the garbage that a failing ParseAddr makes.
func isAddressText(text []byte) bool {
	const longest = len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255")
	for _, c := range text {
		if !isHex(c) && c != ':' && c != '.' {
			return false
		}
	}
	return len(text) <= longest
}
