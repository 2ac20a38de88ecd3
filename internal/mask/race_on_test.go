//go:build race

package mask

// raceDetector tells that pools drop items at random, so allocations cannot be counted.
const raceDetector = true
