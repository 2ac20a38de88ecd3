package demo

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/ebbgate/ebbgate/internal/sandbox"
)

// WriteReport prints the books, how long it took, some rows and what the cookbook's queries answer.
func (res *Result) WriteReport(w io.Writer) error {
	if err := res.Books.WriteTable(w); err != nil {
		return err
	}
	fmt.Fprintf(w, "canaries: %d planted, %d places searched, %d leaks\n", res.Canaries, res.Searched, len(res.Books.Leaks))
	l := res.Latency
	fmt.Fprintf(w, "from published to queryable: p50 %s, p95 %s, p99 %s, over %d rows sent all at once to pipelines that had just started\n\n", brief(l.P50), brief(l.P95), brief(l.P99), l.Rows)
	rows := newTable(w, "event_name", "user_id", "properties", "policy")
	rows.SetColumnConfigs([]table.ColumnConfig{{Name: "properties", WidthMax: 76}})
	for _, s := range res.Samples {
		rows.AppendRow(table.Row{s.EventName, s.UserID, s.Properties, s.Rule})
	}
	rows.Render()
	for _, a := range res.Answers {
		fmt.Fprintf(w, "\nThe cookbook: %s\n", a.Heading)
		answer := newTable(w)
		answer.AppendHeader(row(a.Columns))
		for _, texts := range a.Rows {
			answer.AppendRow(row(texts))
		}
		answer.Render()
	}
	writePulled(w, res.Pulled)
	res.Evidence.Receipts.write(w)
	return nil
}

func newTable(w io.Writer, columns ...any) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	if len(columns) > 0 {
		t.AppendHeader(columns)
	}
	return t
}

func row(texts []string) (out table.Row) {
	for _, text := range texts {
		out = append(out, text)
	}
	return out
}

func brief(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// WriteNext prints what to try next.
func (res *Result) WriteNext(w io.Writer) error {
	_, err := io.WriteString(w, res.next())
	return err
}

func (res *Result) next() string {
	if !res.Kept {
		return `
Try next:
  KEEP=1 make demo                       leave it all running
  bin/ebbgate demo --kill --seed 2       more events, and kill -9 in the middle; the books still balance
  edit pipelines/policy.yaml, give it a new version, and run bin/ebbgate demo --seed 3
`
	}
	base, database := httpBase(res.Endpoints.ClickHouseDSN)
	return fmt.Sprintf(`
Everything runs. Try next:
  curl -s '%s/?query=SELECT+event_name,count()+FROM+%s.events_unique+GROUP+BY+1+ORDER+BY+2+DESC+FORMAT+PrettyCompact'
  bin/ebbgate consent set --user-id u_0 analytics=false
  edit pipelines/policy.yaml, give it a new version, and run bin/ebbgate demo --seed 2
  bin/ebbgate demo stop

As a privacy officer you would ask:
  %s
%s`, base, database, strings.Join(res.Questions(), "\n  "), res.support())
}

// Questions are commands for a shell, with ids of this run: the first one says where it runs; then why each field of a row
// was delivered, why another event was denied, and which policy version said so at each stage.
func (res *Result) Questions() []string {
	dir, workspace := "", res.named()
	if filepath.Clean(res.dir) != sandbox.DefaultDir {
		dir = " --dir " + quoted(res.dir)
	}
	return []string{
		`eval "$(bin/ebbgate sandbox env` + dir + `)"`,
		"bin/ebbgate policy explain" + workspace + " --destination " + sinkDestination + " --event-id " + res.Evidence.Delivered,
		"bin/ebbgate policy explain" + workspace + " --event-id " + res.Evidence.Denied,
		"bin/ebbgate trace" + workspace + " " + res.Evidence.Delivered,
	}
}

// support are the commands of who has to say whether a delivery came, and to send one more; none where there is no door.
func (res *Result) support() string {
	if res.Evidence.Receipts.Shown == nil {
		return ""
	}
	workspace, id := res.named(), res.Evidence.Receipts.Shown.ID
	return "\nOn the question whether a webhook came, and what became of it:\n" +
		"  bin/ebbgate receipts list" + workspace + " --source stripe\n" +
		"  bin/ebbgate receipts show" + workspace + " " + id + "\n" +
		"  bin/ebbgate receipts verify" + workspace + " " + id + "\n" +
		"  bin/ebbgate webhook send" + workspace + " --url http://" + res.door + "/stripe stripe\n"
}

// named is the flag for a workspace that is not found by itself.
func (res *Result) named() string {
	if filepath.Clean(res.workspace) == "pipelines" {
		return ""
	}
	return " --workspace " + quoted(res.workspace)
}

// quoted is a word for a shell.
func quoted(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// httpBase is the address of a DSN and its database; where it is no HTTP address, the DSN as it is and the default's name.
func httpBase(dsn string) (base, database string) {
	u, err := url.Parse(dsn)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return dsn, "default"
	}
	return u.Scheme + "://" + u.Host, cmp.Or(strings.Trim(u.Path, "/"), "default")
}
