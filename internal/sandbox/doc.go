// Package sandbox runs a broker and a ClickHouse on the developer's own
// machine, without containers: each is a child process of the same binary
// with its data below one folder, bound to loopback.
package sandbox
