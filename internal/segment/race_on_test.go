//go:build race

package segment

// raceDetector tells that pools drop items at random, so allocations cannot be counted.
const raceDetector = true
