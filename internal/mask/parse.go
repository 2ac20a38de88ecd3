package mask

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// parsers maps each name of a policy to what reads its argument.
var parsers = map[string]func(arg any) (Transform, error){
	"tokenize":      parseTokenize,
	"mask":          parseMask,
	"truncate_ip":   parseTruncateIP,
	"truncate_time": parseTruncateTime,
	"truncate":      parseTruncate,
	"bucket":        parseBucket,
	"scrub":         parseScrub,
}

// Names lists the names that Parse knows, sorted.
func Names() []string {
	names := make([]string, 0, len(parsers))
	for name := range parsers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Parse makes the transform that a policy names. arg is the decoded argument: nil for none, a scalar, a []any or a
// map[string]any. It does not keep arg. A transform that needs a key (Keyed) comes unbound.
//
//	tokenize                                exact value; {as: email} or {as: exact} chooses
//	mask: email | phone | last_four
//	truncate_ip: {v4: 24, v6: 48}           these are the defaults
//	truncate_time: hour | day | month | year
//	truncate: 32
//	bucket: [10, 50, 100]
//	scrub
func Parse(name string, arg any) (Transform, error) {
	parse, ok := parsers[name]
	if !ok {
		return nil, fmt.Errorf("unknown transform %q: use one of %s", name, strings.Join(Names(), ", "))
	}
	return parse(arg)
}

func parseTokenize(arg any) (Transform, error) {
	args, err := arguments("tokenize", arg, "as")
	if err != nil {
		return nil, err
	}
	as, given := args["as"]
	switch {
	case !given || as == "exact":
		return &tokenizer{}, nil
	case as == "email":
		return &tokenizer{email: true}, nil
	}
	return nil, errors.New("tokenize: as must be exact or email")
}

func parseMask(arg any) (Transform, error) {
	switch arg {
	case "email":
		return MaskEmail(), nil
	case "phone":
		return MaskPhone(), nil
	case "last_four":
		return LastFour(), nil
	}
	return nil, errors.New("mask: expected email, phone or last_four, such as `mask: email`")
}

func parseTruncateIP(arg any) (Transform, error) {
	args, err := arguments("truncate_ip", arg, "v4", "v6")
	if err != nil {
		return nil, err
	}
	bits := map[string]int{"v4": defaultIPv4Bits, "v6": defaultIPv6Bits}
	for name, value := range args {
		n, ok := integer(value)
		if !ok {
			return nil, fmt.Errorf("truncate_ip: %s must be a whole number of bits", name)
		}
		bits[name] = n
	}
	return TruncateIP(bits["v4"], bits["v6"])
}

func parseTruncateTime(arg any) (Transform, error) {
	unit, ok := arg.(string)
	if !ok {
		return nil, errors.New("truncate_time: expected hour, day, month or year, such as `truncate_time: day`")
	}
	return TruncateTime(unit)
}

func parseTruncate(arg any) (Transform, error) {
	n, ok := integer(arg)
	if !ok {
		return nil, errors.New("truncate: expected a number of characters, such as `truncate: 32`")
	}
	return Truncate(n)
}

func parseBucket(arg any) (Transform, error) {
	list, ok := arg.([]any)
	if !ok {
		return nil, errors.New("bucket: expected a list of bounds, such as `bucket: [10, 50, 100]`")
	}
	bounds := make([]float64, len(list))
	for i, item := range list {
		if bounds[i], ok = number(item); !ok {
			return nil, fmt.Errorf("bucket: bound %d is not a number", i+1)
		}
	}
	return Bucket(bounds)
}

func parseScrub(arg any) (Transform, error) {
	if arg != nil {
		return nil, errors.New("scrub: it takes no argument")
	}
	return Scrub(), nil
}

// arguments reads a map of named arguments, or nothing.
func arguments(transform string, arg any, known ...string) (map[string]any, error) {
	if arg == nil {
		return nil, nil
	}
	args, ok := arg.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: expected the arguments %s by name", transform, strings.Join(known, ", "))
	}
	for name := range args {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("%s: unknown argument %q: use %s", transform, name, strings.Join(known, ", "))
		}
	}
	return args, nil
}

func number(value any) (float64, bool) {
	switch n := value.(type) {
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case uint64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

func integer(value any) (int, bool) {
	n, ok := number(value)
	if !ok || n != math.Trunc(n) || math.Abs(n) > 1<<30 {
		return 0, false
	}
	return int(n), true
}
