package event

import "time"

// ParseTime reads an RFC 3339 time strictly: upper-case T and Z, a real date, no leap second, an offset below 24 hours and
// at most nine digits of fraction. The time comes back in UTC; nothing is allocated.
func ParseTime(text []byte) (time.Time, bool) {
	if len(text) < len("2006-01-02T15:04:05Z") || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
		text[13] != ':' || text[16] != ':' {
		return time.Time{}, false
	}
	century, y := twoDigits(text, 0), twoDigits(text, 2)
	year := 100*century + y
	month, day := twoDigits(text, 5), twoDigits(text, 8)
	hour, minute, second := twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17)
	if century|y|month|day|hour|minute|second < 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) ||
		hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	nanos, rest, ok := fraction(text[19:])
	if !ok {
		return time.Time{}, false
	}
	offset, ok := zoneOffset(rest)
	if !ok {
		return time.Time{}, false
	}
	seconds := int64(daysSince1970(year, month, day))*86400 + int64(hour*3600+minute*60+second-offset)
	return time.Unix(seconds, int64(nanos)).UTC(), true
}

// twoDigits reads two decimal digits, or gives -1.
func twoDigits(text []byte, at int) int {
	tens, ones := text[at]-'0', text[at+1]-'0'
	if tens > 9 || ones > 9 {
		return -1
	}
	return int(tens)*10 + int(ones)
}

func fraction(text []byte) (nanos int, rest []byte, ok bool) {
	if text[0] != '.' {
		return 0, text, true
	}
	at, scale := 1, 1_000_000_000
	for ; at < len(text) && text[at]-'0' <= 9; at++ {
		nanos, scale = nanos*10+int(text[at]-'0'), scale/10
		if scale == 0 {
			return 0, nil, false
		}
	}
	return nanos * scale, text[at:], at > 1
}

func zoneOffset(text []byte) (seconds int, ok bool) {
	if len(text) == 1 {
		return 0, text[0] == 'Z'
	}
	if len(text) != len("+00:00") || text[3] != ':' || text[0] != '+' && text[0] != '-' {
		return 0, false
	}
	hours, minutes := twoDigits(text, 1), twoDigits(text, 4)
	if hours < 0 || hours > 23 || minutes < 0 || minutes > 59 {
		return 0, false
	}
	seconds = hours*3600 + minutes*60
	if text[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSince1970 counts days of the proleptic Gregorian calendar, with years that begin in March so that the leap day
// comes last.
func daysSince1970(year, month, day int) int {
	year += 400 // keeps year zero's January, which belongs to the year before, above zero
	if month <= 2 {
		year, month = year-1, month+12
	}
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	return year*365 + year/4 - year/100 + year/400 + dayOfYear - 719468 - 146097
}
