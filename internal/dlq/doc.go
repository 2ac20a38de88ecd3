// Package dlq works with the quarantine of a running system: what waits there, sending it through again, and giving it up.
//
// Guarantee: nothing is deleted and nothing is decided unseen. Whatever is done leaves a record on the topic with role actions, which says
// who, why and how many. A quarantined event that such a record marks is done with: doing the same again passes it over. An event is
// sent through again before it is marked, so a run that is killed in between sends it twice; both bear the position the event entered by, and
// sinks take one.
//
// An event enters again on the topic it was read from, as it was, or, once corrected, at a stage that judges it anew: no correction
// reaches a topic that holds what was judged already.
package dlq
