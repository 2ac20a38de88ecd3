package lib

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/redpanda-data/benthos/v4/public/bloblang"
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
	"pgregory.net/rapid"

	"github.com/ebbgate/ebbgate/internal/event"
)

func load(t testing.TB, provider string) *bloblang.Executor {
	t.Helper()
	text, err := os.ReadFile(provider + ".blobl")
	require.NoError(t, err)
	exec, err := bloblang.NewEnvironment().Parse(string(text))
	require.NoError(t, err)
	return exec
}

// arrive runs a mapping on a delivery as the webhook input hands it on.
func arrive(t require.TestingT, exec *bloblang.Executor, kind, body string) []byte {
	msg := service.NewMessage([]byte(body))
	msg.MetaSetMut("webhook_type", kind)
	msg.MetaSetMut("webhook_id", "delivery-1")
	msg.MetaSetMut("kafka_timestamp_ms", strconv.FormatInt(arrived.UnixMilli(), 10))
	out, err := msg.BloblangQuery(exec)
	require.NoError(t, err)
	mapped, err := out.AsBytes()
	require.NoError(t, err)
	return mapped
}

var providers = []string{"paddle", "sendgrid", "shopify", "slack", "standard_webhooks", "stripe"}

// sample is one case of the YAML tests that data engineers read and ebbgate test runs.
type sample struct {
	Name  string
	Input []struct {
		Body     any               `yaml:"json_content"`
		Metadata map[string]string `yaml:"metadata"`
	} `yaml:"input_batch"`
}

func samples(t *testing.T, provider string) []sample {
	t.Helper()
	text, err := os.ReadFile(provider + "_test.yaml")
	require.NoError(t, err)
	var file struct{ Tests []sample }
	require.NoError(t, yaml.Unmarshal(text, &file))
	require.NotEmpty(t, file.Tests)
	return file.Tests
}

// What the YAML tests make of payloads passes validation.
func TestPayloadsBecomeEvents(t *testing.T) {
	j := newJudge(t)
	for _, provider := range providers {
		exec := load(t, provider)
		for _, one := range samples(t, provider) {
			t.Run(provider+"/"+one.Name, func(t *testing.T) {
				body, err := json.Marshal(one.Input[0].Body)
				require.NoError(t, err)
				got := arrive(t, exec, one.Input[0].Metadata["webhook_type"], string(body))
				assert.Empty(t, j.code(t, got), "%s", got)
				_, consent := j.index.Get(event.Consent)
				assert.False(t, consent, "a webhook carries no consent")
			})
		}
	}
}

func TestProviderYAMLTests(t *testing.T) {
	for _, provider := range providers {
		code, err := service.RunCLIToCode(t.Context(), service.CLIOptSetArgs("ebbgate", "test", "./"+provider+"_test.yaml"))
		require.NoError(t, err)
		assert.Zero(t, code, provider)
	}
}

// What is said of nobody is quarantined, not made up.
func TestNobodyIsNobody(t *testing.T) {
	j := newJudge(t)
	for provider, c := range map[string]struct{ kind, body string }{
		"stripe":   {"payout.paid", `{"id":"evt_1","type":"payout.paid","created":1795175999,"data":{"object":{"id":"po_1","object":"payout","amount":1100,"currency":"eur"}}}`},
		"shopify":  {"products/update", `{"id":1,"title":"Chair","updated_at":"2026-11-20T11:00:00Z"}`},
		"paddle":   {"price.created", `{"event_id":"evt_1","event_type":"price.created","occurred_at":"2026-11-20T11:00:00Z","data":{"id":"pri_1","status":"active"}}`},
		"slack":    {"channel_archive", `{"type":"event_callback","event_id":"Ev1","event_time":1795175999,"event":{"type":"channel_archive","channel":"C1"}}`},
		"sendgrid": {"delivered", `{"event":"delivered","sg_event_id":"a","timestamp":1795175999}`},
	} {
		assert.Equal(t, event.CodeEnvelopeSubject, j.code(t, arrive(t, load(t, provider), c.kind, c.body)), provider)
	}
}

func TestAmountsAreInWholeUnits(t *testing.T) {
	exec := load(t, "stripe")
	for currency, want := range map[string]string{"eur": `"amount":12.34`, "jpy": `"amount":1234`, "kwd": `"amount":1.234`} {
		body := `{"type":"charge.failed","data":{"object":{"customer":"cus_1","amount":1234,"currency":"` + currency + `"}}}`
		assert.Contains(t, string(arrive(t, exec, "", body)), want, currency)
	}
	exec = load(t, "paddle")
	for currency, want := range map[string]string{"USD": `"amount":12.34`, "JPY": `"amount":1234`} {
		body := `{"event_type":"transaction.paid","data":{"customer_id":"ctm_1","currency_code":"` + currency + `","details":{"totals":{"total":"1234"}}}}`
		assert.Contains(t, string(arrive(t, exec, "", body)), want, currency)
	}
}

// Whoever tells the provider who a customer is gets events of his own user.
func TestOwnIDsAreTheSubject(t *testing.T) {
	own := `{"user_id":"u_1","account_id":"a_1"}`
	for provider, bodies := range map[string][]string{
		"stripe": {
			`{"type":"x","data":{"object":{"customer":"cus_1","metadata":` + own + `}}}`,
			`{"type":"x","data":{"object":{"customer":"cus_1","metadata":{},"parent":{"subscription_details":{"metadata":` + own + `}}}}}`,
			`{"type":"x","data":{"object":{"customer":{"id":"cus_1","metadata":` + own + `}}}}`,
		},
		"paddle":   {`{"event_type":"x","data":{"customer_id":"ctm_1","custom_data":` + own + `}}`},
		"sendgrid": {`{"event":"bounce","email":"ada@example.com","user_id":"u_1","account_id":"a_1"}`},
	} {
		for _, body := range bodies {
			assert.Contains(t, string(arrive(t, load(t, provider), "x", body)), `"subject":{"account_id":"a_1","user_id":"u_1"}`, body)
		}
	}
}

// The source is what the endpoint is called, and its event id is derived from that.
func TestTheSourceIsTheEndpoints(t *testing.T) {
	for _, provider := range append([]string{"github"}, providers...) {
		msg := service.NewMessage([]byte(`{}`))
		assert.Contains(t, string(arrive(t, load(t, provider), "x", `{}`)), `"source":"`+provider+`"`)
		msg.MetaSetMut("webhook_source", "shop_eu")
		out, err := msg.BloblangQuery(load(t, provider))
		require.NoError(t, err)
		body, err := out.AsBytes()
		require.NoError(t, err)
		assert.Contains(t, string(body), `"source":"shop_eu"`)
	}
}

// names are those the mappings read, in the order in which they may nest.
var names = []string{
	"type", "event_type", "event", "id", "object", "data", "created", "account", "customer", "metadata", "user_id", "account_id", "plan",
	"items", "price", "lookup_key", "recurring", "interval", "quantity", "unit_amount", "currency", "amount", "amount_paid", "lines",
	"status_transitions", "paid_at", "cancellation_details", "feedback", "reason", "livemode", "related_object", "parent", "customer_id",
	"custom_data", "currency_code", "details", "totals", "total", "payments", "method_details", "status", "line_items", "billing_cycle",
	"occurred_at", "first", "product", "name", "checkout_token", "token", "created_at", "updated_at", "total_price", "sku", "email",
	"shipping_address", "country_code", "timestamp", "category", "campaign_id", "sg_message_id", "sg_event_id", "url_offset", "index",
	"userId", "anonymous_id", "sg_machine_open", "start_date", "ended_at", "subscription_details",
}

// Whatever stands where a provider's fields are, a mapping gives an event or a faulty event, never an error.
func TestProviderMappingsFailOnNothing(t *testing.T) {
	j, execs := newJudge(t), map[string]*bloblang.Executor{}
	for _, provider := range providers {
		execs[provider] = load(t, provider)
	}
	kinds := map[string][]string{
		"stripe":            {"invoice.paid", "customer.subscription.created", "customer.subscription.deleted", "x"},
		"paddle":            {"transaction.completed", "subscription.activated", "subscription.canceled", "customer.created"},
		"shopify":           {"orders/create", "customers/update", "x", ""},
		"sendgrid":          {"open", "click", "processed", "bounce"},
		"slack":             {"app_mention", ""},
		"standard_webhooks": {"trial.started", "x", ""},
	}
	leaves := []string{`null`, `true`, `""`, `"x"`, `0`, `-1.5`, `1e300`, `[]`, `{}`, `[null,1,"x",{}]`, `"2026-11-20T11:00:00Z"`, `18446744073709551616`}
	var value func(t *rapid.T, depth int) string
	value = func(t *rapid.T, depth int) string {
		if depth == 0 || rapid.IntRange(0, 2).Draw(t, "leaf") == 0 {
			return rapid.SampledFrom(leaves).Draw(t, "value")
		}
		members := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 6, rapid.ID[string]).Draw(t, "names")
		text := object(members, func(string) string { return value(t, depth-1) })
		if rapid.IntRange(0, 3).Draw(t, "list") == 0 {
			return "[" + text + "]"
		}
		return text
	}
	rapid.Check(t, func(t *rapid.T) {
		provider := rapid.SampledFrom(slices.Sorted(maps.Keys(execs))).Draw(t, "provider")
		kind := rapid.SampledFrom(kinds[provider]).Draw(t, "kind")
		// The places the mappings look at first are there, and anything in them.
		body := object([]string{"type", "event_type", "event", "data", "line_items", "customer", "url_offset", "email"}, func(name string) string {
			switch name {
			case "type", "event_type", "event":
				return strconv.Quote(kind)
			case "data":
				inner := value(t, 4)
				return `{"object":` + inner + `,"items":` + value(t, 3) + `,"details":` + value(t, 2) + `,"payments":` + value(t, 2) + `}`
			}
			return value(t, 2)
		})
		j.code(t, arrive(t, execs[provider], kind, body))
	})
}

func object(members []string, inner func(name string) string) string {
	text := "{"
	for i, name := range members {
		if i > 0 {
			text += ","
		}
		text += strconv.Quote(name) + ":" + inner(name)
	}
	return text + "}"
}
