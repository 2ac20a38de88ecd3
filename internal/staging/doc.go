// Package staging is the pure core of the warehouse's staging area: what staging.yaml may say, what of it may be synced
// at all, and the PostgreSQL objects it stands for. It knows no engine and no driver.
//
// Three things make the area safe to pull from with `WHERE key >= bookmark ORDER BY key`, which is all that Stitch does.
// Every row carries row_seq, stamped by a trigger behind a lock that is held until its transaction is visible, so that no
// lower key ever appears after a higher one. Deletions are tombstones, because a row that is gone is never seen to go.
// And names, types and lengths stay within what every destination of Stitch can hold, checked before anything is made.
package staging
