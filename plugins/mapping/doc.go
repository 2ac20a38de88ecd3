// Package mapping replaces the engine's mapping, mutation, bloblang, switch and branch processors by ones that do the same
// and are silent about values.
//
// A failed Bloblang query quotes what it failed on, and the stock processors log that text as an error, so one bad event
// puts an address into the log. Guarantee: a failure here is known by the line of the mapping alone, in the log, in the
// message's error and in whatever is made of it. The message goes on flagged, and no case or result applies to it.
//
// A record that a stage made, such as one for quarantine, passes mapping, mutation, bloblang and switch untouched: a mapping was
// written for events, and one that drops what it does not know would lose the record.
package mapping
