package state

import (
	"fmt"
	"testing"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/kafka"
)

// desk is somebody who writes state by hand while a stream reads it.
func desk(t *testing.T) (client *kafka.Client, reader Lookup, put func(topic, key, value string)) {
	t.Helper()
	seeds, put := broker(t)
	conf, err := service.NewConfigSpec().Fields(kafka.ClientFields()...).ParseYAML(fmt.Sprintf("seed_brokers: [ %q ]", seeds), nil)
	require.NoError(t, err)
	client, err = kafka.ParseClient(conf, nil)
	require.NoError(t, err)
	return client, build(t, fmt.Sprintf("state: {seed_brokers: [ %q ]}", seeds), service.MockResources(), nil), put
}

func TestASuppressionWrittenByHandHoldsAtOnceUntilItIsLifted(t *testing.T) {
	client, reader, put := desk(t)
	write := func(next consent.Suppression) *consent.Suppression {
		next.Source, next.ChangedAt = "desk", time.Unix(100, 0).UTC()
		written, err := WriteSuppression(ctx(t), client, "privacy.suppression", "k", next)
		require.NoError(t, err)
		read, err := ReadSuppression(ctx(t), client, "privacy.suppression", "k")
		require.NoError(t, err)
		assert.Equal(t, string(written.Append(nil)), string(read.Append(nil)))
		assert.Equal(t, read, one(t, reader, "k").Suppressed)
		return written
	}
	none, err := ReadSuppression(ctx(t), client, "privacy.suppression", "k")
	require.NoError(t, err)
	assert.Nil(t, none)

	assert.EqualValues(t, 1, write(consent.Suppression{Channels: []string{"email"}, Reason: "unsubscribe"}).Version)
	assert.Equal(t, []string{"email", "sms"}, write(consent.Suppression{Channels: []string{"sms"}, Reason: "unsubscribe"}).Channels)
	assert.Empty(t, write(consent.Suppression{Reason: "spam_report"}).Channels)
	assert.True(t, write(consent.Suppression{Lifted: true}).Lifted, "whoever writes by hand has the last word")
	assert.EqualValues(t, 5, write(consent.Suppression{Channels: []string{"email"}, Reason: "unsubscribe"}).Version)

	put("privacy.suppression", "k", "no record")
	unreadable, err := ReadSuppression(ctx(t), client, "privacy.suppression", "k")
	require.NoError(t, err)
	assert.True(t, unreadable.Unreadable)
	mended := write(consent.Suppression{Channels: []string{"email"}, Reason: "unsubscribe"})
	assert.EqualValues(t, 6, mended.Version)
	assert.Empty(t, mended.Channels, "nobody knows which channels it was about")
}

func TestConsentWrittenByHandIsTheLastWord(t *testing.T) {
	client, reader, put := desk(t)
	put("privacy.consent", "k", `{"version":8,"purposes":{"marketing":true,"analytics":true},"source":"ahead","changed_at":"2036-01-02T03:04:05Z"}`)
	at := time.Unix(100, 0).UTC()
	written, err := WriteConsent(ctx(t), client, "privacy.consent", "k", consent.Choice{Purposes: map[string]bool{"marketing": false}, Source: "desk", At: at})
	require.NoError(t, err)
	assert.EqualValues(t, 9, written.Version)
	assert.Equal(t, map[string]bool{"marketing": false, "analytics": true}, written.Purposes)
	assert.Equal(t, string(written.Append(nil)), string(one(t, reader, "k").Consent.Append(nil)))

	put("privacy.consent", "k", "no record")
	written, err = WriteConsent(ctx(t), client, "privacy.consent", "k", consent.Choice{Purposes: map[string]bool{"analytics": true}, Source: "desk", At: at})
	require.NoError(t, err)
	assert.EqualValues(t, 10, written.Version)
	assert.Equal(t, map[string]bool{"analytics": true}, written.Purposes)
	assert.Equal(t, at, written.ChangedAt)
	assert.Equal(t, written.Purposes, one(t, reader, "k").Consent.Purposes)
}
