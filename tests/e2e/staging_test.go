package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/ebbgate/ebbgate/internal/books"
	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/plugtest"
	"github.com/ebbgate/ebbgate/internal/sandbox"
	"github.com/ebbgate/ebbgate/internal/stitch"
)

var staged = books.Stage{Topic: warehouse, Group: "ebbgate-warehouse"}

// signUp is a signed_up event, which becomes a profile. The country tells whose row is whose.
func signUp(id, user, country string) string {
	return fmt.Sprintf(`{"event_name":"signed_up","event_id":%q,"timestamp":%q,"subject":{"user_id":%q},"consent":%s,`+
		`"context":{"source":"backend","schema_version":"1.2.0"},"properties":{"method":"password","email":"%s@example.com","country":%q}}`, id, now(), user, yes, user, country)
}

// area is a staging area and a warehouse that Stitch loads from it.
type area struct {
	*house
	reader    stitch.Reader
	conn      *pgx.Conn
	warehouse stitch.Destination
}

// rolesAreShared keeps two tests from making the roles of their one server at the same moment, of which PostgreSQL refuses one.
var rolesAreShared sync.Mutex

// newArea makes a database into the staging area of the house's workspace.
func newArea(t *testing.T) *area {
	t.Helper()
	h := newHouse(t)
	admin := plugtest.Postgres(t)
	as := func(user string) *pgx.ConnConfig {
		config, err := pgx.ParseConfig(admin)
		require.NoError(t, err)
		config.User = user
		return config
	}
	rolesAreShared.Lock()
	h.must("staging", "apply", "--dsn", admin)
	rolesAreShared.Unlock()
	writer := as("stage_writer")
	h.env = append(h.env, fmt.Sprintf("%s=postgres://%s@%s:%d/%s?sslmode=disable", sandbox.EnvStaging, writer.User, writer.Host, writer.Port, writer.Database))
	a := &area{house: h, reader: stitch.Reader{Schema: "stitch_stage"}}
	var err error
	a.conn, err = pgx.ConnectConfig(h.ctx(), as("stitch_reader"))
	require.NoError(t, err)
	t.Cleanup(func() { a.conn.Close(context.Background()) })
	return a
}

func (a *area) start() *process {
	return a.house.start("streams", "-o", "pipelines/service.yaml", "pipelines/streams", "pipelines/sinks/warehouse.yaml")
}

// pull runs one job of the reader and gives the live profiles of the warehouse, by country.
func (a *area) pull() map[string]int {
	a.t.Helper()
	require.NoError(a.t, a.reader.Pull(a.ctx(), a.conn, &a.warehouse))
	live := map[string]int{}
	for _, row := range a.warehouse.Tables["customer_profiles"] {
		if country, ok := row["country"].(string); ok {
			require.Equal(a.t, false, row["is_deleted"], "a tombstone holds nothing")
			live[country]++
		}
	}
	return live
}

// becomes waits until the warehouse has these profiles and no others.
func (a *area) becomes(want map[string]int) {
	a.t.Helper()
	var live map[string]int
	a.until(func() bool {
		live = a.pull()
		return fmt.Sprint(live) == fmt.Sprint(want)
	}, func() string { return fmt.Sprintf("the warehouse has %v, not %v", live, want) })
}

// What people say after their rows were staged reaches the warehouse with the next pull. A withdrawal may be taken back; an erasure
// stays, through new events and a replay of everything.
func TestWhoLeavesIsGoneFromTheWarehouse(t *testing.T) {
	a := newArea(t)
	running := a.start()
	a.publish(inbound, signUp("evt_1", "u_1", "DE"), signUp("evt_2", "u_2", "FR"), signUp("evt_3", "u_3", "JP"))
	a.becomes(map[string]int{"DE": 1, "FR": 1, "JP": 1})

	a.must("consent", "set", "--user-id", "u_1", "analytics=false")
	a.becomes(map[string]int{"FR": 1, "JP": 1})

	erasure := consent.Erasure{Epoch: 1, RequestID: "req_1", RequestedAt: time.Now(), State: "fenced"}
	a.produce(&kgo.Record{Topic: "privacy.erasures", Key: []byte(a.ring.SubjectPseudonym("user_id", "u_2")), Value: erasure.Append(nil)})
	a.becomes(map[string]int{"JP": 1})
	require.Len(t, a.warehouse.Tables["privacy_deletions"], 1)

	running.stop()
	groups, err := a.admin.DeleteGroups(a.ctx(), staged.Group)
	require.NoError(t, err)
	require.NoError(t, groups[staged.Group].Err)
	a.warehouse, a.reader.Bookmarks = stitch.Destination{}, nil // and the warehouse loads all of it anew
	a.start()
	a.must("consent", "set", "--user-id", "u_1", "analytics=true")
	a.publish(inbound, signUp("evt_4", "u_1", "US"), signUp("evt_5", "u_2", "GB"))
	a.becomes(map[string]int{"JP": 1, "US": 1})
	a.drained(append(a.hops(), staged)...)
	require.Equal(t, map[string]int{"JP": 1, "US": 1}, a.pull())
	a.balance()
}
