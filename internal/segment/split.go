package segment

import "bytes"

// span is a part of the body.
type span struct{ start, end int }

// split finds the events of a batch, without judging them: it only tells strings, brackets and commas apart, and the strict
// scanner reads each event, and what is around them, afterwards. In strict JSON there is one way to split; in anything else
// that can be split, the scanner refuses the part that is wrong. It gives the events' spans, and the span between the
// brackets of the list; found is false where there is no list named batch.
func split(body []byte, events []span, most int) (_ []span, list span, found, ok bool) {
	at := skipSpace(body, 0)
	if at == len(body) || body[at] != '{' {
		return events, list, false, false
	}
	at = skipSpace(body, at+1)
	for at < len(body) && body[at] == '"' {
		end := skipString(body, at)
		if end < 0 {
			return events, list, false, false
		}
		isBatch := string(body[at:end]) == `"batch"`
		if at = skipSpace(body, end); at == len(body) || body[at] != ':' {
			return events, list, false, false
		}
		at = skipSpace(body, at+1)
		if isBatch && !found && at < len(body) && body[at] == '[' {
			found = true
			list.start = at + 1
			if events, list.end = splitList(body, list.start, events, most); list.end < 0 {
				return events, list, true, false
			}
			at = list.end + 1
		} else if at = skipValue(body, at); at < 0 {
			return events, list, found, false
		}
		if at = skipSpace(body, at); at < len(body) && body[at] == ',' {
			at = skipSpace(body, at+1)
		}
	}
	return events, list, found, at < len(body) && body[at] == '}'
}

// splitList finds the elements of a list whose bracket stands before at, and the position of the closing one. More than most
// elements are not looked at: one more than most comes back.
func splitList(body []byte, at int, events []span, most int) ([]span, int) {
	if at = skipSpace(body, at); at < len(body) && body[at] == ']' {
		return events, at
	}
	for {
		end := skipValue(body, at)
		if end <= at {
			return events, -1
		}
		events = append(events, span{at, end})
		at = skipSpace(body, end)
		switch {
		case at == len(body):
			return events, -1
		case body[at] == ']' || len(events) > most:
			return events, at
		case body[at] != ',':
			return events, -1
		}
		at = skipSpace(body, at+1)
	}
}

// skipValue gives the position behind the value that begins at at, or a negative one.
func skipValue(body []byte, at int) int {
	if at >= len(body) {
		return -1
	}
	switch body[at] {
	case '"':
		return skipString(body, at)
	case '{', '[':
		return skipContainer(body, at)
	}
	for at < len(body) && body[at] != ',' && body[at] != '}' && body[at] != ']' && body[at] > ' ' {
		at++
	}
	return at
}

func skipContainer(body []byte, at int) int {
	for depth := 0; at < len(body); at++ {
		switch body[at] {
		case '"':
			if at = skipString(body, at) - 1; at < 0 {
				return -1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return at + 1
			}
		}
	}
	return -1
}

// skipString gives the position behind the string whose quote stands at at, or a negative one.
func skipString(body []byte, at int) int {
	for at++; ; {
		next := bytes.IndexByte(body[at:], '"')
		if next < 0 {
			return -1
		}
		escapes := 0
		for escapes < next && body[at+next-1-escapes] == '\\' {
			escapes++
		}
		if at += next + 1; escapes%2 == 0 {
			return at
		}
	}
}

func skipSpace(body []byte, at int) int {
	for at < len(body) && (body[at] == ' ' || body[at] == '\n' || body[at] == '\r' || body[at] == '\t') {
		at++
	}
	return at
}
