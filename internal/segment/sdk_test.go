package segment

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/npm"
)

// sdkPackages are @segment/analytics-node and all it needs, published under the MIT and BSD licences. They are fetched into a
// cache and are no part of this repository.
var sdkPackages = []npm.Package{
	{Name: "@segment/analytics-node", Version: "3.1.0", Integrity: "sha512-F3pJmzUxmWZFV2wxJfuGvjLViCrQBFpxLLp4++fkoDsohWwS89T7n0M5nW1zxeYc2X2rA/v7q5ou3JZIw9bl3g=="},
	{Name: "@segment/analytics-core", Version: "1.8.3", Integrity: "sha512-63X8e2DWb2ZnJ9S3H8iSOFnbeDXMkTGhA8kZG4eFAO07QBwBVyWo5BCpv6vmuOMEkv2le6t2FMg1p6ZeJQA/4A=="},
	{Name: "@segment/analytics-generic-utils", Version: "1.2.0", Integrity: "sha512-DfnW6mW3YQOLlDQQdR89k4EqfHb0g/3XvBXkovH1FstUN93eL1kfW9CsDcVQyH3bAC5ZsFyjA/o/1Q2j0QeoWw=="},
	{Name: "@lukeed/uuid", Version: "2.0.1", Integrity: "sha512-qC72D4+CDdjGqJvkFMMEAtancHUQ7/d/tAiHf64z8MopFDmcrtbcJuerDtFceuAfQJ2pDSfCKCtbqoGBNnwg0w=="},
	{Name: "@lukeed/csprng", Version: "1.1.0", Integrity: "sha512-Z7C/xXCiGWsg0KuKsHTKJxbWhpI3Vs5GwLfOean7MGyVFGqdRgBbAjOCh6u4bbjPc/8MJ2pZmK/0DLdCbivLDA=="},
	{Name: "base64-js", Version: "1.5.1", Integrity: "sha512-AKpaYlHn8t4SVbOHCy+b5+KKgvR4vrsD8vbvrbiQJps7fKDTkjkDry6ji0rUJjC0kzbNePLwzxq8iypo41qeWA=="},
	{Name: "buffer", Version: "6.0.3", Integrity: "sha512-FTiCpNxtwiZZHEZbcbTIcZjERVICn9yq/pDFkTl95/AxzD1naBctN7YO68riM/gLSDY7sdrMby8hofADYuuqOA=="},
	{Name: "dset", Version: "3.1.4", Integrity: "sha512-2QF/g9/zTaPDc3BjNcVTGoBbXBgYfMTTceLaYcFJ/W9kggFUkhxD/hMEeuLKbugyef9SqAx8cpgwlIP/jinUTA=="},
	{Name: "ieee754", Version: "1.2.1", Integrity: "sha512-dcyqhDvX1C46lXZcVqCpK+FtMRQVdIMN6/Df5js2zouUsqG7I6sFxitIC+7KYK29KdXOLHdu9zL4sFnoVQnqaA=="},
	{Name: "jose", Version: "5.10.0", Integrity: "sha512-s+3Al/p9g32Iq+oqXxkW//7jk2Vig6FF1CFqzVXoTUXt2qz89YWbL+OwS17NFYEvxC35n0FKeGO2LGYSxeM2Gg=="},
	{Name: "tslib", Version: "2.9.1", Integrity: "sha512-a4Ux9VKuIMHsOS7ENbEq6hK2ZGYIT27Rtl0E4eD9KqwxhKiQeMZE/9xb3IdYwWaSOyIBQLExhQgXDTYoiCxnWA=="},
}

// sdkFolder is a folder in which node finds the packages.
func sdkFolder(t *testing.T) string {
	t.Helper()
	cache, err := npm.CacheDir()
	require.NoError(t, err)
	dir := t.TempDir()
	for _, p := range sdkPackages {
		from, err := npm.Fetcher{CacheDir: cache}.Fetch(t.Context(), p)
		if errors.Is(err, npm.ErrNoClient) && os.Getenv("EBBGATE_REQUIRE_ENGINE") != "1" {
			t.Skip(err)
		}
		require.NoError(t, err)
		to := filepath.Join(dir, "node_modules", filepath.FromSlash(p.Name))
		require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
		require.NoError(t, os.Symlink(from, to))
	}
	script, err := os.ReadFile(filepath.Join("testdata", "calls.js"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "calls.js"), script, 0o644))
	return dir
}

// sent is what one request of the SDK brought.
type sent struct {
	agent, retries string
	outcomes       []Outcome
}

// door hands every request to the mapper, and answers 500 to the first of each batch.
type door struct {
	sync.Mutex
	house *house
	t     *testing.T
	got   []sent
	known map[string]bool // event ids whose batch was refused once
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.Lock()
	defer d.Unlock()
	body, err := io.ReadAll(r.Body)
	route, ok := ParseRoute(r.Method, r.URL.Path)
	if err != nil || !ok || d.house.reader.Open(route, body) != nil || string(d.house.reader.WriteKey()) != "wk_sdk" {
		d.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	outcomes := d.house.reader.Map(server, &Request{ReceivedAt: time.Now()}, nil)
	d.got = append(d.got, sent{r.UserAgent(), r.Header.Get("X-Retry-Count"), outcomes})
	if first := string(outcomes[0].EventID); !d.known[first] {
		d.known[first] = true
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	io.WriteString(w, `{"success":true}`)
}

// TestTheRealSDK: every event of @segment/analytics-node becomes an envelope, and what the SDK sends again gets the same id
// and digest.
func TestTheRealSDK(t *testing.T) {
	dir := sdkFolder(t)
	d := &door{house: newHouse(t, Limits{}), t: t, known: map[string]bool{}}
	server := httptest.NewServer(d)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	node := exec.CommandContext(ctx, "node", "--preserve-symlinks", "--preserve-symlinks-main", "calls.js", server.URL)
	node.Dir = dir
	out, err := node.CombinedOutput()
	require.NoError(t, err, "%s", out)

	seen, names := map[string]Outcome{}, map[string]int{}
	retried, consents := 0, 0
	for _, request := range d.got {
		for _, o := range request.outcomes {
			require.Nil(t, o.Fault, "%s", o.Raw)
			id := string(o.EventID)
			if before, again := seen[id]; again {
				retried++
				require.NotEmpty(t, request.retries)
				require.Equal(t, before.Digest, o.Digest)
				continue
			}
			seen[id] = o
			name, _, _ := strings.Cut(strings.TrimPrefix(string(o.Envelope), `{"event_name":"`), `"`)
			names[name]++
			if strings.Contains(string(o.Envelope), `"consent":{"analytics":true,"marketing":false,"source":"segment"`) {
				consents++
			}
		}
	}
	require.Equal(t, map[string]int{
		"identify": 1, "trial_started": 1, "page_viewed": 1, "screen_viewed": 1, "group": 1, "alias": 1, "past_event": 1, "item_viewed": 50,
	}, names)
	require.Equal(t, len(seen), retried, "each batch was refused once")
	require.Contains(t, seen, "my-own-id")
	require.Equal(t, 2, consents, "events that carry consent")
	for _, o := range seen {
		require.NotContains(t, string(o.Envelope), "wk_sdk")
		require.NotContains(t, string(o.Envelope), "nodeVersion")
	}
}
