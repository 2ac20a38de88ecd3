package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progress is how far a stage is with the topic it reads.
type progress struct {
	name       string // of the stream
	topic      string
	done, left int64
}

// rateOver is how far back a rate looks.
const rateOver = 2 * time.Second

// view draws how far the stages are, over what it drew before. It is for terminals only.
type view struct {
	out   io.Writer
	drawn int
	seen  []look
}

// look is what was seen at one time.
type look struct {
	at     time.Time
	stages []progress
}

// draw shows the stages as they are now.
func (v *view) draw(stages []progress, now time.Time) {
	v.seen = append(v.seen, look{now, stages})
	for len(v.seen) > 2 && now.Sub(v.seen[1].at) >= rateOver {
		v.seen = v.seen[1:]
	}
	first := v.seen[0]
	var text strings.Builder
	if v.drawn > 0 {
		fmt.Fprintf(&text, "\x1b[%dA", v.drawn)
	}
	for i, s := range stages {
		fmt.Fprintf(&text, "\x1b[2K  %-16s %s %9d done %9d left %8.0f/s\n", s.name, bar(s), s.done, s.left, rate(first.stages[i], s, now.Sub(first.at)))
	}
	v.drawn = len(stages)
	io.WriteString(v.out, text.String())
}

const barWidth = 20

func bar(s progress) string {
	full := int(barWidth * s.done / max(1, s.done+s.left))
	return strings.Repeat("█", full) + strings.Repeat("░", barWidth-full)
}

// rate is in records a second.
func rate(from, to progress, over time.Duration) float64 {
	if over <= 0 {
		return 0
	}
	return float64(to.done-from.done) / over.Seconds()
}

// pace remembers when each stage was seen to begin and to come to its end, for the rates of a whole run.
type pace struct {
	begun, ended []look
}

func (p *pace) note(stages []progress, now time.Time) {
	if p.begun == nil {
		p.begun, p.ended = make([]look, len(stages)), make([]look, len(stages))
	}
	for i := range stages {
		here := look{now, stages[i : i+1]}
		if p.begun[i].stages == nil || p.begun[i].stages[0].done == stages[i].done {
			p.begun[i], p.ended[i] = here, here
		}
		if p.ended[i].stages[0].done != stages[i].done {
			p.ended[i] = here
		}
	}
}

// String lists the stages that had work, each with how many records a second it came to.
func (p *pace) String() string {
	var out []string
	for i, b := range p.begun {
		from, to := b.stages[0], p.ended[i].stages[0]
		if to.done > from.done {
			out = append(out, fmt.Sprintf("%s %d at %.0f/s", to.name, to.done-from.done, rate(from, to, p.ended[i].at.Sub(b.at))))
		}
	}
	return strings.Join(out, ", ")
}
