package books

// Ledger takes in what each place of the pipeline holds, by event id. It is not safe for concurrent use.
type Ledger struct {
	destinations []Destination
	byName       map[string]int
	accepted     map[string]*entry
	strangers    map[string]*entry
	reasons      interned
	codes        interned
	sinks        []*SinkTotals
	lines        []line
}

// entry is what is known of one event. Its lines, one per destination, live in the ledger's slab.
type entry struct {
	copies int
	first  int // its line at the first destination
}

// line is what is known of one event at one destination.
type line struct {
	rows       int32
	authorized int32
	code       uint16 // quarantined under; 0 when it is not
	reason     uint16 // denied for; 0 when it is not
	suppressed bool
	waiting    bool
}

// interned keeps each text once and gives it a small number; zero is "none".
type interned struct {
	texts []string
	index map[string]uint16
}

func (t *interned) number(text string) uint16 {
	if n, ok := t.index[text]; ok {
		return n
	}
	if t.index == nil {
		t.index = map[string]uint16{}
	}
	t.texts = append(t.texts, text)
	n := uint16(len(t.texts))
	t.index[text] = n
	return n
}

func (t *interned) text(n uint16) string { return t.texts[n-1] }

// SinkTotals is what a sink says of itself: the sums over its chunk records, and the rows its table holds.
type SinkTotals struct {
	// Rows is the number of rows in the table.
	Rows int
	// Delivered is the number of rows the chunk records say were inserted.
	Delivered int
	// DeniedAtExport is the number of records the sink held back because consent had gone; each is denied by id too.
	DeniedAtExport int
	// Repeated is the number of records the sink recognised as copies made by our own hops.
	Repeated int
	// Settled is the number of records that were in quarantine when the chunk came.
	Settled int
}

// NewLedger opens a ledger for the given destinations.
func NewLedger(destinations ...Destination) *Ledger {
	l := &Ledger{
		destinations: destinations,
		byName:       make(map[string]int, len(destinations)),
		accepted:     map[string]*entry{},
		strangers:    map[string]*entry{},
		sinks:        make([]*SinkTotals, len(destinations)),
	}
	for i, d := range destinations {
		l.byName[d.Name] = i
	}
	return l
}

// Accept records one copy of an event on the raw topic. A second call with the same id is a client's repeat.
func (l *Ledger) Accept(id string) {
	e := l.accepted[id]
	if e == nil {
		if e = l.strangers[id]; e == nil {
			e = l.open()
		}
		delete(l.strangers, id)
		l.accepted[id] = e
	}
	e.copies++
}

// Quarantine records that an event lies in quarantine under a code: for all destinations when destination is
// Everywhere, or for one when it got as far as that destination's topic.
func (l *Ledger) Quarantine(id, destination, code string) {
	number := l.codes.number(code)
	l.each(id, destination, func(at *line) { at.code = number })
}

// Deny records a decision that an event may not go to a destination, or to none when destination is Everywhere.
// Decisions about destinations that are not in the books are left out.
func (l *Ledger) Deny(id, destination, reason string) {
	number := l.reasons.number(reason)
	l.each(id, destination, func(at *line) { at.reason, at.suppressed = number, suppressing[reason] })
}

// Authorize records one copy of an event on a destination's topic.
func (l *Ledger) Authorize(id, destination string) {
	if at := l.line(id, destination); at != nil {
		at.authorized++
	}
}

// Deliver records rows of an event in a destination's store.
func (l *Ledger) Deliver(id, destination string, rows int) {
	if at := l.line(id, destination); at != nil {
		at.rows += int32(rows)
	}
}

// Wait records that an event lies before a stage that has not yet committed it, on the way to a destination, or to
// all of them when destination is Everywhere. It counts only while the event has come to no end.
func (l *Ledger) Wait(id, destination string) {
	l.each(id, destination, func(at *line) { at.waiting = true })
}

// Totals records what a destination's sink says of itself.
func (l *Ledger) Totals(destination string, totals SinkTotals) {
	if i, ok := l.byName[destination]; ok {
		l.sinks[i] = &totals
	}
}

// entry finds an event, or opens a page for one that was not accepted so far.
func (l *Ledger) entry(id string) *entry {
	if e := l.accepted[id]; e != nil {
		return e
	}
	e := l.strangers[id]
	if e == nil {
		e = l.open()
		l.strangers[id] = e
	}
	return e
}

func (l *Ledger) open() *entry {
	e := &entry{first: len(l.lines)}
	for range l.destinations {
		l.lines = append(l.lines, line{})
	}
	return e
}

// each visits an event's line at one destination, or at all of them.
func (l *Ledger) each(id, destination string, visit func(*line)) {
	e := l.entry(id)
	for i := range l.destinations {
		if destination == Everywhere || destination == l.destinations[i].Name {
			visit(&l.lines[e.first+i])
		}
	}
}

// line finds an event at a destination; nil when the destination is not in the books.
func (l *Ledger) line(id, destination string) *line {
	i, ok := l.byName[destination]
	if !ok {
		return nil
	}
	return &l.lines[l.entry(id).first+i]
}
