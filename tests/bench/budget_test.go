package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkBudgets prints what an event may allocate in each part, and what it does.
func BenchmarkBudgets(b *testing.B) {
	b.Chdir(filepath.Join("..", ".."))
	s, err := newStages(b.TempDir())
	require.NoError(b, err)
	var list []budget
	for b.Loop() {
		list, err = s.once(context.Background())
		require.NoError(b, err)
	}
	for _, x := range list {
		name := strings.ReplaceAll(strings.Trim(x.Name, "`"), " ", "-")
		b.ReportMetric(x.Measured, name+"-allocs/event")
		b.ReportMetric(x.Limit, name+"-budget")
	}
}
