package demo

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func at(validate, govern int64) []progress {
	return []progress{
		{name: "validate", topic: "events.raw", done: validate, left: 1000 - validate},
		{name: "govern", topic: "events.validated", done: govern, left: 500 - govern},
	}
}

// On a terminal the stages are drawn over themselves, each with what it does in a second now.
func TestTheViewDrawsOverItself(t *testing.T) {
	var out bytes.Buffer
	v, now := view{out: &out}, time.Now()
	v.draw(at(0, 0), now)
	first := out.String()
	if strings.Contains(first, "\x1b[2A") || strings.Count(first, "\n") != 2 {
		t.Errorf("the first view: %q", first)
	}
	out.Reset()
	v.draw(at(500, 100), now.Add(time.Second))
	second := out.String()
	for _, want := range []string{"\x1b[2A\x1b[2K", "validate", strings.Repeat("█", 10) + strings.Repeat("░", 10), "500 done", "500 left", " 500/s", " 100/s"} {
		if !strings.Contains(second, want) {
			t.Errorf("no %q in %q", want, second)
		}
	}
	for i := range 10 {
		v.draw(at(500, 100), now.Add(time.Duration(2+i)*time.Second))
	}
	out.Reset()
	v.draw(at(500, 100), now.Add(time.Minute))
	if strings.Count(out.String(), " 0/s") != 2 {
		t.Errorf("what stands still has a rate: %q", out.String())
	}
}

// Where nobody watches there are plain lines, few of them, and at the end how fast it went.
func TestLogsGetPlainLines(t *testing.T) {
	var out bytes.Buffer
	n, now := newNotice(&run{Options: Options{Messages: &out}}), time.Now()
	for i := range int64(11) {
		n.look(at(i*100, i*50), now.Add(time.Duration(i)*time.Second))
	}
	n.arrived()
	text := out.String()
	if strings.Contains(text, "\x1b") || strings.Count(text, "\n") > 5 {
		t.Errorf("too much for a log: %q", text)
	}
	if want := "validate 1000 at 100/s, govern 500 at 50/s"; !strings.Contains(text, want) {
		t.Errorf("no %q in %q", want, text)
	}
}
