// Package clickhouse is the clickhouse output: sealed records of one destination into one ClickHouse table.
//
// Guarantee. A record is written only with a valid seal for the configured destination over exactly the bytes at hand,
// and only while the subject's consent, read again just before the insert, still allows it. Every record of a chunk ends
// in exactly one counted way: a row, denied at export, a repeat of a row that is there, or already in quarantine. No row
// is written twice and none is lost, through kills of either side, cut connections, retries, rebalances and replays.
//
// How. One chunk (offsets first..last of one partition) is one batch and one insert, with a deduplication token that
// names the chunk. The server's own deduplication is not trusted alone: it silently drops different rows under a used
// token, and it forgets. So the table ebbgate_chunks records each chunk that is in completely; and after a start, an
// unknown outcome or a pause long enough for another owner, the chunk's rows are read back, only missing ones go in,
// and the table is read again before the chunk counts as done. Copies that earlier hops made at new offsets are found
// by the position they were made from; a record that merely overtook another is never taken for one.
//
// Failure. What cannot be said for certain, the state of consent included, is waited for: the batch fails, the input
// replays the same chunk, nothing is delivered or denied meanwhile. Records that can never go in (no seal, another
// destination's, changed bytes, a value that does not fit its column) are named in a *stage.PermanentError, nothing of
// the chunk is acknowledged, and the input replays it with those records in quarantine.
package clickhouse
