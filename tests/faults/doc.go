// Command faults runs the shipped pipelines on a broker and a ClickHouse of its own, sends them events, and kills, stops and cuts
// off everything in turn. At the end it holds what lies at the destinations against three things the pipelines had no part in: a
// ledger of what the broker took, written and synced by the load; a reference that works out by the policy's text what each
// destination should have; and the books, in which every accepted event has one end per destination.
//
//	go run ./tests/faults -events 200000                        one run, with a new seed
//	go run ./tests/faults -seed 7 -shard 1/6 -out 1.json        a sixth of the long programme
//	go run ./tests/faults -page docs/reliability.md 1.json ...  write what runs reported into the page
//
// What happens in a run, and to which event, follows from its seed; when exactly a kill falls does not.
package main
