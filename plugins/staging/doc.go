// Package staging is the staging output: sealed records of one destination into the PostgreSQL area that Stitch pulls from.
//
// Guarantee. A record is staged only with a valid seal for the configured destination over exactly the bytes at hand, and
// only while the subject's consent, read again inside the transaction that stages it, still allows it. A withdrawal or an
// erasure that is produced later empties the rows that are there already. No row version that is committed is missed by a
// reader that pulls by row_seq, and a replay of anything moves no row.
//
// How. One chunk is one transaction. It takes the gate, which orders transactions as they become visible; reads consent,
// suppression and erasure; copies rows into session tables and merges them by primary key and entity version; notes its
// offsets; and commits. Rows are known by what they are about and not by offsets, so a chunk whose outcome is unknown simply
// comes again and changes nothing. The state topics are chunks too: for each key they name, the rows of that subject are
// judged anew. Because consent is read behind the gate, either the row sees the withdrawal or the withdrawal sees the row.
//
// Failure. What cannot be said for certain is waited for: the batch fails and the input replays the same chunk. Records that
// can never go in are named in a *stage.PermanentError and come again as quarantine records. A database that has drifted
// from staging.yaml is refused before anything is consumed, with what is wrong and the command that mends it.
package staging
