package workspace

import "github.com/ebbgate/ebbgate/internal/topics"

// audit checks the output for decisions: it takes them from their own topic, as they were read, and nothing else.
func (l *linter) audit(s stream) {
	if l.w.Topics == nil {
		return
	}
	own, _ := l.w.Topics.ByRole(topics.Decisions)
	for range s.all("output", "clickhouse_audit") {
		for _, c := range s.all("input", "redpanda") {
			for _, item := range c.conf.get("topics").items() {
				if name, known := item.text(); known && name != own.Name {
					l.refuse(s.at(item), "stream.audit", "is no topic of decisions, so the audit would take nothing of it", "read "+own.Name+" alone")
				}
			}
		}
		if processors := s.root.get("pipeline", "processors"); len(processors.items()) > 0 {
			l.refuse(s.at(processors), "stream.audit", "stand before the audit, which takes decisions as they were read", "remove them")
		}
	}
}
