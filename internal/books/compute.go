package books

import "strings"

// Compute closes the books: one row per destination. The ledger may be filled further and computed again.
func (l *Ledger) Compute() *Books {
	books := &Books{Rows: make([]Row, len(l.destinations))}
	for i := range l.destinations {
		a := &account{
			Ledger: l, at: i, to: l.destinations[i], totals: l.sinks[i], faults: problems{},
			row: Row{Reasons: map[string]int{}, Codes: map[string]int{}},
		}
		books.Rows[i] = a.close()
	}
	return books
}

// account is the closing of one destination.
type account struct {
	*Ledger
	at     int
	to     Destination
	totals *SinkTotals
	row    Row
	faults problems

	// sums in records, for the sink's own totals
	rows, authorized int
}

func (a *account) close() Row {
	a.row.Destination, a.row.CountedTo, a.row.Topic = a.to.Name, a.to.Extent.String(), a.to.Topic
	for id, e := range a.accepted {
		a.event(id, e, a.lines[e.first+a.at])
	}
	for id, e := range a.strangers {
		at := a.lines[e.first+a.at]
		a.sum(at)
		if at != (line{waiting: at.waiting}) {
			a.faults.add(Unknown, id)
		}
	}
	if a.totals != nil {
		a.row.Repeated += a.totals.Repeated
		a.compareTotals()
	}
	r := &a.row
	r.Balance = r.Accepted - r.Delivered - r.Denied - r.Quarantined - r.Suppressed - r.Waiting
	r.Problems = a.faults.list()
	return a.row
}

func (a *account) sum(at line) {
	a.rows += int(at.rows)
	a.authorized += int(at.authorized)
}

// event puts one accepted event under its end and looks for what must not be. Where several ends are recorded, the
// one that weighs most counts: what is at a destination is delivered, whatever else was said of it.
func (a *account) event(id string, e *entry, at line) {
	a.sum(at)
	a.row.Accepted++
	a.row.Duplicates += e.copies - 1
	switch {
	case a.arrived(at) > 0:
		a.row.Delivered++
	case at.code > 0:
		a.row.Quarantined++
		a.row.Codes[a.codes.text(at.code)]++
	case at.reason > 0:
		a.deny(at)
	case at.waiting:
		a.row.Waiting++
	default:
		a.faults.add(Lost, id)
	}
	a.audit(id, e, at)
}

func (a *account) deny(at line) {
	a.row.Reasons[a.reasons.text(at.reason)]++
	if at.suppressed {
		a.row.Suppressed++
		return
	}
	a.row.Denied++
}

func (a *account) audit(id string, e *entry, at line) {
	denied := at.reason > 0
	if a.arrived(at) > 0 && denied && changes(a.reasons.text(at.reason)) {
		a.row.Rejudged++
		denied = false
	}
	ends := 0
	for _, ended := range [...]bool{a.arrived(at) > 0, at.code > 0, denied} {
		if ended {
			ends++
		}
	}
	// An id that a client sent k times may have come to up to k different ends: the copies need not be alike.
	if ends > e.copies {
		a.faults.add(Conflict, id)
	}
	if a.to.Extent == ToTopic {
		// Copies on a topic are no fault: hops deliver at least once, and sinks take each event once.
		a.row.Repeated += max(0, int(at.authorized)-e.copies)
		return
	}
	if int(at.rows) > e.copies {
		a.faults.add(Twice, id)
	}
	if a.to.Topic != "" && at.rows > 0 && at.authorized == 0 {
		a.faults.add(Unauthorized, id)
	}
}

// changes tells whether a reason may come to hold after the event was given: a hop that judges a chunk again, because it died
// before it could say that it had, then decides otherwise.
func changes(reason string) bool {
	return suppressing[reason] || strings.HasPrefix(reason, withdrawn)
}

// withdrawn begins the reasons of records that take consent back.
const withdrawn = "consent.withdrawn."

// arrived is the number of copies at the place up to which the destination is counted.
func (a *account) arrived(at line) int {
	if a.to.Extent == ToTopic {
		return int(at.authorized)
	}
	return int(at.rows)
}

// compareTotals holds the sink's own totals against what was counted. Every record on the topic was inserted, held
// back, recognised as a copy or already in quarantine: with nothing waiting, that sum is exact.
func (a *account) compareTotals() {
	t := a.totals
	agree := t.Rows == t.Delivered && t.Rows == a.rows
	if a.to.Topic != "" && a.row.Waiting == 0 {
		agree = agree && a.authorized == t.Delivered+t.DeniedAtExport+t.Repeated+t.Settled
	}
	if !agree {
		a.faults.add(SinkBooks, a.to.Name)
	}
}
