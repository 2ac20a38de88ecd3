//go:build !unix

package npm

import "context"

// lock does nothing where the system has no advisory locks: two processes may both fetch, and the last rename wins.
func lock(context.Context, string) (func(), error) {
	return func() {}, nil
}
