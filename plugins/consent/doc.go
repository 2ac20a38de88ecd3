// Package consent is the consent processor: it joins what an event claims about consent with what is recorded now.
//
// Guarantee: at the validate stage an event whose class may not be stored without consent passes only when that consent
// holds; at the govern stage every event leaves with a judgement (which destinations may have it, and why not) that redact
// obeys. Outputs write to the validated topic only what passed here, unchanged. The most restrictive statement over all
// ids of a subject wins, and what is missing or unreadable is never consent.
//
// While the state is not current, events wait: ProcessBatch blocks, nothing is denied, delivered or quarantined. When the
// stream stops meanwhile, the messages stay flagged, every output of ours refuses them, and the input replays the chunk.
package consent
