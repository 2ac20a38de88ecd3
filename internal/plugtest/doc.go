// Package plugtest gives tests real counterparts: a broker, and a ClickHouse
// engine served over HTTP. Nothing is mocked.
//
// A ClickHouse engine needs a process of its own. That process is the test
// binary itself, started again with an environment variable set; see hook.go.
package plugtest
