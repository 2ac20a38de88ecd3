package workspace

import "github.com/ebbgate/ebbgate/internal/topics"

// audit checks the output for decisions: it takes them from their own topic, as they were read, and nothing else. It reports whether
// the stream has one.
func (l *linter) audit(s stream) bool {
	outputs := s.all("output", "clickhouse_audit")
	if l.w.Topics == nil {
		return len(outputs) > 0
	}
	own, _ := l.w.Topics.ByRole(topics.Decisions)
	for range outputs {
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
	return len(outputs) > 0
}

// unaudited tells that nobody keeps decisions for longer than their topic does.
func (l *linter) unaudited() {
	if l.w.Topics == nil {
		return
	}
	if own, ok := l.w.Topics.ByRole(topics.Decisions); ok {
		l.warn(place{TopicsFile, own.Line, "topics." + own.Name}, "decisions.unserved", "no stream copies decisions to where auditors ask, so they are gone with the topic's retention",
			"add one with the output clickhouse_audit, as pipelines/streams/compliance.yaml of the shipped workspace is")
	}
}
