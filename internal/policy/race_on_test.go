//go:build race

package policy_test

// raceDetector tells that pools drop items at random, so allocations cannot be counted.
const raceDetector = true
