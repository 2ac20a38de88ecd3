package demo

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
)

// WriteReport prints the books, some rows and what to try next.
func (res *Result) WriteReport(w io.Writer) error {
	if err := res.Books.WriteTable(w); err != nil {
		return err
	}
	fmt.Fprintf(w, "canaries: %d planted, %d places searched, %d leaks\n\n", res.Canaries, res.Searched, len(res.Books.Leaks))
	t := table.NewWriter()
	t.SetOutputMirror(w)
	t.SetStyle(table.StyleLight)
	t.SetColumnConfigs([]table.ColumnConfig{{Name: "properties", WidthMax: 76}})
	t.AppendHeader(table.Row{"event_name", "user_id", "properties", "policy"})
	for _, s := range res.Samples {
		t.AppendRow(table.Row{s.EventName, s.UserID, s.Properties, s.Rule})
	}
	t.Render()
	_, err := fmt.Fprint(w, res.next())
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
  eval "$(bin/ebbgate sandbox env)"
  curl -s '%s/?query=SELECT+event_name,count()+FROM+%s.events_unique+GROUP+BY+1+ORDER+BY+2+DESC+FORMAT+PrettyCompact'
  bin/ebbgate consent set --user-id u_0 analytics=false
  edit pipelines/policy.yaml, give it a new version, and run bin/ebbgate demo --seed 2
  bin/ebbgate demo stop
`, base, database)
}

// httpBase is the address of a DSN and its database; where it is no HTTP address, the DSN as it is and the default's name.
func httpBase(dsn string) (base, database string) {
	u, err := url.Parse(dsn)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return dsn, "default"
	}
	return u.Scheme + "://" + u.Host, cmp.Or(strings.Trim(u.Path, "/"), "default")
}
