package demo

import (
	"strings"
	"testing"
	"time"

	"github.com/ebbgate/ebbgate/docs"
)

func TestTheCookbookHasTheQueriesOfTheDemo(t *testing.T) {
	for _, r := range recipes {
		query := docs.Recipe(r.heading)
		if !strings.Contains(query, "SELECT") || strings.Contains(query, "```") {
			t.Errorf("under %q: %q", r.heading, query)
		}
		if r.rollup != "" && !strings.Contains(query, r.rollup) {
			t.Errorf("the query under %q does not read %s", r.heading, r.rollup)
		}
	}
	if docs.Recipe("no such part") != "" {
		t.Error("a part that is not there has a query")
	}
}

func TestCells(t *testing.T) {
	at, none := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC), (*time.Time)(nil)
	for want, value := range map[string]any{
		"2026-11-24 10:00:00": at, "2026-11-24": at.Truncate(24 * time.Hour), "": none, "47": 47.0, "7": uint64(7),
		"v1 2026-11-24 10:00:00": []any{[]any{"v1", &at}}, "x": "x",
	} {
		if got := cell(value); got != want {
			t.Errorf("%v: got %q, want %q", value, got, want)
		}
	}
	if got := cell(time.Unix(0, 0)); got != "" {
		t.Errorf("the time that stands for none: %q", got)
	}
}

func TestQuantilesAreOfWhatWasMeasured(t *testing.T) {
	var took []time.Duration
	for i := range 100 {
		took = append(took, time.Duration(100-i)*time.Second)
	}
	if got, want := quantiles(took), (Latency{Rows: 100, P50: 51 * time.Second, P95: 96 * time.Second, P99: 100 * time.Second}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := quantiles(nil); got != (Latency{}) {
		t.Errorf("of nothing: %+v", got)
	}
	one := chunks{place{topic: "a", partition: 1}: {{first: 0, last: 4, committed: time.Unix(1, 0)}, {first: 6, last: 9, committed: time.Unix(2, 0)}}}
	for offset, want := range map[int64]int64{0: 1, 4: 1, 6: 2, 9: 2} {
		if got := one.committed(place{"a", 1, offset}); got.Unix() != want {
			t.Errorf("offset %d: %s", offset, got)
		}
	}
	for _, at := range []place{{"a", 1, 5}, {"a", 1, 10}, {"a", 2, 0}} {
		if got := one.committed(at); !got.IsZero() {
			t.Errorf("%v was committed at %s", at, got)
		}
	}
}

func TestQuestionsNameWhatIsNotTheDefault(t *testing.T) {
	res := Result{dir: ".ebbgate", workspace: "./pipelines"}
	res.Evidence.Delivered, res.Evidence.Denied = "evt_1", "evt_2"
	if got := strings.Join(res.Questions(), "\n"); strings.Contains(got, "--dir") || strings.Contains(got, "--workspace") || !strings.Contains(got, "--event-id evt_2") {
		t.Error(got)
	}
	res.dir, res.workspace = "/tmp/it's here", "team/pipelines"
	got := res.Questions()
	if !strings.Contains(got[0], `--dir '/tmp/it'\''s here'`) || !strings.Contains(got[1], "--workspace team/pipelines") {
		t.Error(got)
	}
}
