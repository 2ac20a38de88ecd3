package event

// member is what is known of a value before it is read: its name's span and the place it stands at.
type member struct {
	place            *place
	keyStart, keyEnd uint32
	flags            uint8
}

// push writes the value's node, complete but for End and Next when it is a container, and gives its tape position.
func (s *Scanner) push(kind Kind, start, end int, m member) int {
	at := s.count
	if at >= len(s.nodes) {
		s.grow()
	}
	n := &s.nodes[at]
	n.Start, n.End = uint32(start), uint32(end)
	n.KeyStart, n.KeyEnd = m.keyStart, m.keyEnd
	n.Next = uint32(at + 1)
	n.Field, n.Kind, n.Flags = m.place.field, kind, m.flags
	if f := m.place.field; f < NumEnvelopeFields {
		s.env[f] = int32(at)
	}
	s.count = at + 1
	return at
}

func (s *Scanner) grow() {
	grown := make([]Node, max(64, 2*len(s.nodes)))
	copy(grown, s.nodes)
	s.nodes = grown
}

// container reads the object or array whose bracket stands at `at` and gives the position behind it, or a negative one.
func (s *Scanner) container(at int, m member, depth int) int {
	if depth > s.limits.MaxDepth {
		return s.fail(CodeTooDeep, at)
	}
	kind, untidy, end := Array, s.untidy, 0
	if s.buf[at] == '{' {
		kind = Object
	}
	self := s.push(kind, at, 0, m)
	s.nodes[self].Next = 0
	if kind == Object {
		end = s.object(at+1, m.place, depth)
	} else {
		end = s.array(at+1, m.place.elem, depth)
	}
	if end >= 0 {
		n := &s.nodes[self]
		n.End, n.Next = uint32(end), uint32(s.count)
		if s.untidy == untidy {
			n.Flags |= Canonical
		}
	}
	return end
}

func (s *Scanner) object(at int, where *place, depth int) int {
	buf := s.buf
	set := s.names.open(where, depth)
	if at = s.space(at); at < len(buf) && buf[at] == '}' {
		return at + 1
	}
	for {
		if at >= len(buf) || buf[at] != '"' {
			if at = s.space(at); at >= len(buf) || buf[at] != '"' {
				s.fail(CodeSyntax, at)
				return s.failedAt(nowhere)
			}
		}
		var m member
		at++
		if next := *set.hint; next != nil && next.spelled.stands(buf, at) && s.names.take(next, &set, s.limits.MaxKeys) {
			m.place, m.keyStart = next, uint32(at)
			at += len(next.spelled.text) - 1
			m.keyEnd = uint32(at - 1)
		} else {
			if m, at = s.name(at, &set); at < 0 {
				return at
			}
			if at++; at >= len(buf) || buf[at] != ':' {
				if at = s.space(at); at >= len(buf) || buf[at] != ':' {
					s.fail(CodeSyntax, at)
					return s.failedAt(m.place)
				}
			}
		}
		if at = s.value(at+1, m, depth); at < 0 {
			return s.failedAt(m.place)
		}
		if at < len(buf) && buf[at] <= ' ' {
			at = s.space(at)
		}
		switch {
		case at < len(buf) && buf[at] == ',':
			at++
		case at < len(buf) && buf[at] == '}':
			s.names.close(&set)
			return at + 1
		default:
			s.fail(CodeSyntax, at)
			return s.failedAt(m.place)
		}
	}
}

func (s *Scanner) array(at int, elem *place, depth int) int {
	buf := s.buf
	if at = s.space(at); at < len(buf) && buf[at] == ']' {
		return at + 1
	}
	for {
		if at = s.value(at, member{place: elem}, depth); at < 0 {
			return s.failedAt(elem)
		}
		if at < len(buf) && buf[at] <= ' ' {
			at = s.space(at)
		}
		switch {
		case at < len(buf) && buf[at] == ',':
			at++
		case at < len(buf) && buf[at] == ']':
			return at + 1
		default:
			s.fail(CodeSyntax, at)
			return s.failedAt(elem)
		}
	}
}

// value reads any value and gives the position behind it, or a negative one.
func (s *Scanner) value(at int, m member, depth int) int {
	if at < len(s.buf) && s.buf[at] <= ' ' {
		at = s.space(at)
	}
	if at >= len(s.buf) {
		return s.fail(CodeSyntax, at)
	}
	switch c := s.buf[at]; c {
	case '"':
		end, flags := s.string(at + 1)
		if end < 0 {
			return end
		}
		m.flags |= flags
		s.push(String, at+1, end, m)
		return end + 1
	case '{', '[':
		return s.container(at, m, depth+1)
	case 't':
		return s.literal(at, "true", True, m)
	case 'f':
		return s.literal(at, "false", False, m)
	case 'n':
		return s.literal(at, "null", Null, m)
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		end, flags := s.number(at)
		if end < 0 {
			return end
		}
		m.flags |= flags
		s.push(Number, at, end, m)
		return end
	}
	return s.fail(CodeSyntax, at)
}

func (s *Scanner) literal(at int, word string, kind Kind, m member) int {
	end := at + len(word)
	if end > len(s.buf) || string(s.buf[at:end]) != word {
		return s.fail(CodeSyntax, at)
	}
	s.push(kind, at, end, m)
	return end
}
