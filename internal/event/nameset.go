package event

// nameSets remember the names of the objects that are open, to refuse duplicates. A governed name costs one comparison of
// generations. Other names of one object stand in a short list that a 64-bit filter mostly keeps closed, and from the
// seventeenth name on in a table, one per depth, whose entries go stale when the object does.
type nameSets struct {
	seen       []uint32 // by Field: the generation of the object that had it last
	first      []*place // by Field of an object: the governed name it began with last
	after      []*place // by Field of a name: the governed name that came after it last
	nothing    *place   // what to expect where nothing is governed: always nil
	generation uint32   // of the object opened last
	list       []knownName
	tables     [][]tableSlot // by depth
	tableSize  int
	other      []byte // text of an earlier, escaped name
}

type knownName struct{ hash, node uint32 }

type tableSlot struct {
	generation uint32
	knownName
}

// nameSet is one open object: where it stands, how many names it has had and how many of them are not governed.
type nameSet struct {
	where      *place
	hint       **place // the governed name that should come next
	filter     uint64
	generation uint32
	begin      int // of its names in the list
	unknown    int
	keys       int
	depth      int
}

const listedNames = 16

func newNameSets(d *Dictionary, l Limits) nameSets {
	size := 4 * listedNames
	for size < 2*l.MaxKeys {
		size *= 2
	}
	fields := d.Len()
	return nameSets{
		seen: make([]uint32, fields), first: make([]*place, fields), after: make([]*place, fields), tableSize: size,
	}
}

// reset forgets what an event that failed has left, and starts the generations anew well before they run out.
func (n *nameSets) reset() {
	n.list = n.list[:0]
	if n.generation < 1<<31 {
		return
	}
	n.generation = 0
	clear(n.seen)
	for _, table := range n.tables {
		clear(table)
	}
}

func (n *nameSets) open(where *place, depth int) nameSet {
	n.generation++
	hint := &n.nothing
	if !where.opaque { // only there is a Field one place's own
		hint = &n.first[where.field]
	}
	return nameSet{where: where, hint: hint, generation: n.generation, begin: len(n.list), depth: depth}
}

// take counts a governed name that is in the object for the first time; otherwise it changes nothing.
func (n *nameSets) take(governed *place, set *nameSet, most int) bool {
	seen := &n.seen[governed.field]
	if *seen == set.generation || set.keys >= most {
		return false
	}
	*seen = set.generation
	set.keys++
	set.hint = &n.after[governed.field]
	return true
}

func (n *nameSets) close(set *nameSet) { n.list = n.list[:set.begin] }

// repeats is whether the object had this name before, and if not remembers it under the tape position its value will have.
func (s *Scanner) repeats(set *nameSet, hash uint32, text []byte) bool {
	n := &s.names
	bit := uint64(1) << (hash >> 26)
	fresh := set.filter&bit == 0
	set.filter |= bit
	set.unknown++
	entry := knownName{hash, uint32(s.count)}
	if set.unknown <= listedNames {
		if !fresh && s.listed(n.list[set.begin:], hash, text) {
			return true
		}
		n.list = append(n.list, entry)
		return false
	}
	table := n.table(set.depth)
	if set.unknown == listedNames+1 {
		for _, known := range n.list[set.begin:] {
			s.tabled(table, set.generation, known, nil)
		}
	}
	return s.tabled(table, set.generation, entry, text)
}

func (s *Scanner) listed(list []knownName, hash uint32, text []byte) bool {
	for _, known := range list {
		if known.hash == hash && s.sameName(known.node, text) {
			return true
		}
	}
	return false
}

// tabled is whether the table holds the name already, and if not puts it in. A nil text is known to be new.
func (s *Scanner) tabled(table []tableSlot, generation uint32, entry knownName, text []byte) bool {
	mask := uint32(len(table) - 1)
	at := entry.hash & mask
	for ; table[at].generation == generation; at = (at + 1) & mask {
		if text != nil && table[at].hash == entry.hash && s.sameName(table[at].node, text) {
			return true
		}
	}
	table[at] = tableSlot{generation, entry}
	return false
}

func (n *nameSets) table(depth int) []tableSlot {
	for len(n.tables) <= depth {
		n.tables = append(n.tables, nil)
	}
	if n.tables[depth] == nil {
		n.tables[depth] = make([]tableSlot, n.tableSize)
	}
	return n.tables[depth]
}

func (s *Scanner) sameName(node uint32, text []byte) bool {
	known := &s.nodes[node]
	name := s.buf[known.KeyStart:known.KeyEnd]
	if known.Flags&KeyEscaped != 0 {
		s.names.other = appendUnescaped(s.names.other[:0], name)
		name = s.names.other
	}
	return string(name) == string(text)
}
