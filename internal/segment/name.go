package segment

// appendName appends an event's name as contracts write names: lower case, words joined by one underscore. A word ends at
// anything but a letter or a digit, and before a capital that follows a small letter or a digit. Letters beyond ASCII stay as
// they are; no contract knows such a name.
func appendName(dst, text []byte) []byte {
	start := len(dst)
	joined := true // nothing to join to
	var before byte
	for _, c := range text {
		switch upper := c >= 'A' && c <= 'Z'; {
		case upper || c >= 'a' && c <= 'z' || isDigit(c) || c >= 0x80:
			if upper && !joined && (before >= 'a' && before <= 'z' || isDigit(before)) {
				dst = append(dst, '_')
			}
			if upper {
				c |= 0x20
			}
			dst, joined = append(dst, c), false
			before = c
			if upper {
				before = 0
			}
		case !joined:
			dst, joined = append(dst, '_'), true
		}
	}
	if joined && len(dst) > start {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
