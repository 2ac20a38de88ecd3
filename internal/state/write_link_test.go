package state

import (
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/identity"
	"github.com/ebbgate/ebbgate/internal/kafka"
)

func TestAnOperatorLinksAndTakesBack(t *testing.T) {
	seeds, put := broker(t)
	conf, err := service.NewConfigSpec().Fields(kafka.ClientFields()...).ParseYAML("seed_brokers: [ "+seeds+" ]", nil)
	require.NoError(t, err)
	client, err := kafka.ParseClient(conf, nil)
	require.NoError(t, err)
	ahead := time.Now().Add(time.Hour) // a clock that was ahead of ours
	put("identity.links", pairKey(t, "device", "user"), string((&identity.Link{Version: ahead.UnixMilli(), Source: "web_app", ChangedAt: ahead}).Append(nil)))

	removed := identity.At(time.Now(), "support")
	removed.Removed = true
	found, err := WriteLink(ctx(t), client, "identity.links", "user", "device", removed)
	require.NoError(t, err)
	require.Empty(t, found.All, "the last word counts, whatever the clocks say")
	require.True(t, found.Direct["device"].Removed)

	_, err = WriteLink(ctx(t), client, "identity.links", "device", "user", identity.At(time.Now(), "support"))
	require.NoError(t, err)
	found, err = ReadLinks(ctx(t), client, "identity.links", "user")
	require.NoError(t, err)
	require.Equal(t, []string{"device"}, found.All)
	require.True(t, found.Resolved)

	_, err = WriteLink(ctx(t), client, "identity.links", "user", "user", identity.At(time.Now(), "support"))
	require.ErrorContains(t, err, "not one twice")
}
