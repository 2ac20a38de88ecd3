// Package repeats tells whether a record of a topic's partition has come before: an event that its sender sent again, or
// another event under the same id. It has no broker and no clock.
//
// The answer is a function of the log alone. A record is compared with the nearest record before it that has its id, if that
// lies within the window, counted in offsets: equal content makes it a duplicate, other content a conflict. So a chunk that comes
// again, a restart and a new owner all give the answer that was given before, nothing can be remembered that is not durable, and
// nothing has to be written down. What lies further back than the window is not seen.
package repeats
