//go:build race

package keys

// raceDetector tells that pools drop items at random, so allocations cannot be counted.
const raceDetector = true
