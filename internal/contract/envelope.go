package contract

import "slices"

// envelopeProperties are the envelope's values as if a contract had declared them. Identifiers and addresses of a person are
// direct; allowed, from classes.yaml, lists the purposes for which some may go untransformed.
func envelopeProperties(allowed map[string][]string) []*Property {
	fields := []Property{
		{Path: "event_name", Type: String, Classification: None},
		{Path: "event_id", Type: String, Classification: None},
		{Path: "timestamp", Type: Timestamp, Classification: None},
		{Path: "received_at", Type: Timestamp, Classification: None},
		{Path: "subject.user_id", Type: String, Classification: Direct},
		{Path: "subject.account_id", Type: String, Classification: Quasi},
		{Path: "subject.anonymous_id", Type: String, Classification: Quasi},
		{Path: "consent.source", Type: String, Classification: None},
		{Path: "consent.checked_at", Type: Timestamp, Classification: None},
		{Path: "consent.version", Type: String, Classification: None},
		{Path: "context.source", Type: String, Classification: None},
		{Path: "context.schema_version", Type: String, Classification: None},
		{Path: "context.correlation_id", Type: String, Classification: None},
		{Path: "context.ip", Type: String, Classification: Direct},
		{Path: "context.user_agent", Type: String, Classification: Quasi},
	}
	list := make([]*Property, 0, len(fields))
	for _, p := range fields {
		p.AllowedFor = allowed[p.Path]
		list = append(list, &p)
	}
	return list
}

// EnvelopePaths lists the governed places of the envelope.
func EnvelopePaths() (paths []string) {
	for _, p := range envelopeProperties(nil) {
		paths = append(paths, p.Path)
	}
	return paths
}

// Leaf returns every declaration of a governed place: the envelope's own, or one for each contract that has it. None means that
// no event can have it.
func (s *Set) Leaf(path string) []*Property {
	for _, p := range s.envelope {
		if p.Path == path {
			return []*Property{p}
		}
	}
	var found []*Property
	s.walk(func(p *Property) {
		if p.Leaf() && p.LeafPath() == path {
			found = append(found, p)
		}
	})
	return found
}

// Container reports whether path is an object or array of the envelope or of a contract, as opposed to a governed value.
func (s *Set) Container(path string) bool {
	if slices.Contains([]string{"subject", "consent", "context", "properties"}, path) {
		return true
	}
	found := false
	s.walk(func(p *Property) {
		if p.Type == Object || p.Type == Array {
			found = found || p.Path == path || (p.Items == Object && p.Path+"[]" == path)
		}
	})
	return found
}

// LeafPaths returns every governed place, the envelope's and the contracts', sorted.
func (s *Set) LeafPaths() []string {
	var paths []string
	for _, p := range s.envelope {
		paths = append(paths, p.Path)
	}
	s.walk(func(p *Property) {
		if p.Leaf() {
			paths = append(paths, p.LeafPath())
		}
	})
	slices.Sort(paths)
	return slices.Compact(paths)
}
