package demo

import (
	"fmt"
	"io"
	"net/url"

	"github.com/jedib0t/go-pretty/v6/table"
)

// WriteReport prints the books, some rows and what to try next.
func (res *Result) WriteReport(w io.Writer, keep bool) error {
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
	_, err := fmt.Fprint(w, res.next(keep))
	return err
}

func (res *Result) next(keep bool) string {
	if !keep {
		return `
Try next:
  KEEP=1 make demo                       leave it all running
  bin/ebbgate demo --kill --seed 2       more events, and kill -9 in the middle; the books still balance
  edit pipelines/policy.yaml, give it a new version, and run bin/ebbgate demo --seed 3
`
	}
	return fmt.Sprintf(`
Everything runs. Try next:
  eval "$(bin/ebbgate sandbox env)"
  curl -s '%s/?query=SELECT+event_name,count()+FROM+events_unique+GROUP+BY+1+ORDER+BY+2+DESC+FORMAT+PrettyCompact'
  bin/ebbgate consent set --user-id u_0 analytics=false
  bin/ebbgate demo stop
`, httpBase(res.Endpoints.ClickHouseDSN))
}

// httpBase is the address of a DSN without its database, or the DSN where it is no HTTP address.
func httpBase(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return dsn
	}
	return u.Scheme + "://" + u.Host
}
