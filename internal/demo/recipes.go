package demo

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/ebbgate/ebbgate/docs"
)

// recipes are the headings of the analysts' cookbook whose first query the demo asks, each with the rollup it reads.
var recipes = []struct{ heading, rollup string }{
	{heading: "Is the data fresh, and is it whole?"},
	{heading: "Funnel: sign-up, trial, subscription"},
	{heading: "A dip: fewer acts, or less consent?", rollup: "consent_coverage"},
	{heading: "For auditors: what was denied, and by which rule?"},
}

// Answer is what a query of the cookbook answered.
type Answer struct {
	Heading string
	Columns []string
	Rows    [][]string
}

// answers asks the cookbook's queries. Rollups are computed first; elsewhere the clock does that.
func (r *run) answers(ctx context.Context, conn driver.Conn) (out []Answer, err error) {
	if err := r.command(ctx, "clickhouse", "outcomes"); err != nil {
		return nil, err
	}
	for _, recipe := range recipes {
		if recipe.rollup != "" {
			for _, does := range []string{"SYSTEM REFRESH VIEW ", "SYSTEM WAIT VIEW "} {
				if err := conn.Exec(ctx, does+recipe.rollup); err != nil {
					return nil, fmt.Errorf("computing %s: %w", recipe.rollup, err)
				}
			}
		}
		answer := Answer{Heading: recipe.heading}
		if answer.Columns, answer.Rows, err = ask(ctx, conn, docs.Recipe(recipe.heading)); err != nil {
			return nil, fmt.Errorf("asking %q of the cookbook: %w", recipe.heading, err)
		}
		out = append(out, answer)
	}
	return out, nil
}

// ask runs any query and returns its rows as texts.
func ask(ctx context.Context, conn driver.Conn, query string) (columns []string, texts [][]string, err error) {
	rows, err := conn.Query(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	types := rows.ColumnTypes()
	for rows.Next() {
		values, text := make([]any, len(types)), make([]string, len(types))
		for i, typ := range types {
			values[i] = reflect.New(typ.ScanType()).Interface()
		}
		if err := rows.Scan(values...); err != nil {
			return nil, nil, err
		}
		for i, v := range values {
			text[i] = cell(reflect.ValueOf(v).Elem().Interface())
		}
		texts = append(texts, text)
	}
	return rows.Columns(), texts, rows.Err()
}

// cell is a value as a table shows it. What is not there, and the time that stands for none, is empty.
func cell(value any) string {
	v := reflect.ValueOf(value)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		return cell(v.Elem().Interface())
	}
	if at, ok := value.(time.Time); ok {
		if at.Unix() == 0 {
			return ""
		}
		return strings.TrimSuffix(at.UTC().Format(time.DateTime), " 00:00:00")
	}
	if v.Kind() != reflect.Slice {
		return fmt.Sprint(value)
	}
	parts := make([]string, v.Len())
	for i := range parts {
		parts[i] = cell(v.Index(i).Interface())
	}
	return strings.Join(parts, " ")
}
