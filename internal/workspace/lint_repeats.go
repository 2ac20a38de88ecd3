package workspace

import "github.com/ebbgate/ebbgate/internal/topics"

// repeats misses the processor where events come in that their senders may send again.
func (l *linter) repeats(s stream) {
	if l.w.Topics == nil || len(s.all("pipeline", "repeats")) > 0 || len(s.all("pipeline", "contract")) == 0 {
		return
	}
	raw, _ := l.w.Topics.ByRole(topics.Raw)
	for _, c := range s.all("input", "redpanda") {
		for _, item := range c.conf.get("topics").items() {
			if name, known := item.text(); known && name == raw.Name {
				l.warn(s.at(item), "stream.repeats", "is judged without repeats, so what a sender sends again is delivered again",
					"put repeats before contract")
			}
		}
	}
}
