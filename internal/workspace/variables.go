package workspace

import "regexp"

// variable is how the engine's files name one of the environment: ${NAME} or ${NAME:default}.
var variable = regexp.MustCompile(`\$\{([A-Za-z0-9_]+)(?::([^}]*))?\}`)

// Expand replaces the variables of a file for the engine by what lookup says, or by their defaults. One without either becomes
// empty.
func Expand(text string, lookup func(name string) (string, bool)) string {
	return variable.ReplaceAllStringFunc(text, func(name string) string {
		match := variable.FindStringSubmatch(name)
		if value, ok := lookup(match[1]); ok && value != "" {
			return value
		}
		return match[2]
	})
}
