package collector

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/door"
	"github.com/ebbgate/ebbgate/internal/stage"
)

const (
	componentName = "collector"

	coFieldPath      = "path"
	coFieldPublicURL = "public_url"
	coFieldMaxEvent  = "max_event_bytes"
	coFieldMaxEvents = "max_events"
	coFieldConsent   = "consent"
	coFieldSources   = "sources"

	csFieldPurposes   = "purposes"
	csFieldCategories = "categories"
	csFieldTCF        = "tcf_purposes"
	csFieldVendor     = "tcf_vendor"
	csFieldOptOuts    = "us_opt_outs"
	csFieldGPC        = "gpc_denies"

	srcFieldName        = "name"
	srcFieldKind        = "kind"
	srcFieldKeys        = "write_keys"
	srcFieldEvents      = "allowed_events"
	srcFieldIP          = "ip"
	srcFieldOrigins     = "origins"
	srcFieldDisabled    = "disabled"
	srcFieldRateLimit   = "rate_limit"
	srcFieldMaxInFlight = "max_in_flight"

	keyFieldID   = "id"
	keyFieldHash = "sha256"
	keyFieldFile = "file"

	kindBrowser = "browser"
	kindServer  = "server"
)

func inputSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Network").
		Version("0.2.0").
		Summary("Takes events of Segment's and RudderStack's SDKs, and answers once they are durable.").
		Description(`
Point an SDK at this address instead of the vendor's. All routes of the tracking API are there, with and without `+"`/v1`"+`:
`+"`track identify page screen group alias batch import`"+`, their short forms, `+"`beacon`, `pixel`"+`, the settings that browser and mobile
SDKs ask for, and RudderStack's `+"`sourceConfig` and `cluster-info`"+`. Bodies are JSON whatever their content type says, plain or gzip. A pixel's event
stands in the query: in `+"`data`"+` as base64, or, as RudderStack has it, name by name (`+"`properties.title=Home`"+`).

**Answers.** 200 once the whole batch is durable: good events as envelopes for the topic with role `+"`raw`"+`, bad ones as quarantine
records with Segment's reject codes (`+"`segment.event_not_string`"+`). 503 with `+"`Retry-After`"+` when that is not known in time; the
repeat gets the same event ids. 400 for a body that cannot be taken apart, 401 for an unknown write key, 403 for a disabled source
or an origin that is not listed, 413 and 429 for limits. Never a redirect. An answer never repeats anything of the request.

**Write keys** are known by their SHA-256: `+"`ebbgate keys write-key`"+` makes one. A key comes as user of Basic authorization, as
`+"`writeKey`"+` in the body, or, for beacon, pixel and `+"`sourceConfig`"+`, in the query. List two while one is replaced.

**Browsers** are believed less than servers: a property whose contract says `+"`from: server`"+` is removed and counted, and an event whose
contract says so is quarantined. Address and user agent of the connection, and `+"`Sec-GPC`"+`, count for browsers only.

**Consent** that an SDK sends, in any of the dialects, becomes the envelope's claim, in the purposes that `+"`consent`"+` maps. What is
missing, unknown or unmapped grants nothing.

Metadata set: `+"`topic key event_id subject_key correlation_id content_digest`"+`. End the stream with one `+"`redpanda`"+` output that writes
to `+"`${! @topic }`"+`; no processor is needed.

### Metrics

`+"`ebbgate_collector_events_total{source,outcome} ebbgate_collector_refused_total{source,code} ebbgate_collector_retries_total{source} ebbgate_collector_removed_properties_total{source} ebbgate_collector_durable_seconds{source}`"+`.`).
		Fields(door.Fields("127.0.0.1:8080", "1MiB")...).
		Fields(
			service.NewStringField(coFieldPath).
				Description("What stands before the routes in paths, where a proxy leaves it there.").
				Example("/collect").Default("").Advanced(),
			service.NewStringField(coFieldPublicURL).
				Description("The address SDKs reach this door at. With it a browser's SDK learns from its settings where to send, and needs no other configuration than where to find them.").
				Example("https://events.example.com").Default("").Advanced(),
			service.NewStringField(coFieldMaxEvent).
				Description("The largest event. A larger one is quarantined.").
				Default("32KiB").Advanced(),
			service.NewIntField(coFieldMaxEvents).
				Description("The most events in a batch. A larger batch is refused.").
				Default(2500).LintRule(`root = if this < 1 { "max_events must be at least 1" }`).Advanced(),
		).
		Fields(stage.TimeLimitFields()...).
		Fields(stage.WorkspaceField(), stage.ReloadField()).
		Fields(
			service.NewObjectField(coFieldConsent, consentFields()...).
				Description("What the purposes of the policy are called where consent is asked for.").
				Optional(),
			service.NewObjectListField(coFieldSources, sourceFields()...).
				Description("Who sends: one entry for each site, app or service."),
		).
		Example("A site and a backend", "Two sources; the site's key is being replaced.", `
input:
  collector:
    address: 127.0.0.1:8080
    consent:
      purposes:
        analytics: { categories: [ C0002 ], tcf_purposes: [ 1, 8 ] }
        marketing: { categories: [ C0004 ], tcf_purposes: [ 1, 2, 4 ], us_opt_outs: [ sale, sharing ], gpc_denies: true }
    sources:
      - name: web_app
        kind: browser
        origins: [ "https://www.example.com" ]
        write_keys:
          - { id: "2026-11", sha256: "sha256:2f6a2c0a0f3b6e8f0c3f6d1f1f0e9d8c7b6a5948372615049382716051423324" }
          - { id: "2026-05", sha256: "sha256:9a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9" }
      - name: backend
        kind: server
        ip: keep
        write_keys:
          - { id: main, file: /run/secrets/backend.sha256 }

output:
  redpanda:
    seed_brokers: [ "${EBBGATE_BROKERS:127.0.0.1:9092}" ]
    topic: ${! @topic }
    key: ${! @key }
`)
}

func sourceFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewStringField(srcFieldName).
			Description("The name of this source: in `context.source` and metrics, and part of event ids that are made here. Never change it."),
		service.NewStringEnumField(srcFieldKind, kindBrowser, kindServer).
			Description("Where the SDK runs. What runs in a browser or an app is in the hands of whoever holds it: `browser`."),
		service.NewObjectListField(srcFieldKeys,
			service.NewStringField(keyFieldID).Description("A name for the key: its date, for example."),
			service.NewStringField(keyFieldHash).Description("The key's hash.").Default(""),
			service.NewStringField(keyFieldFile).Description("The file that holds the key's hash.").Default(""),
		).Description("The write keys that count now."),
		service.NewBoolField(srcFieldDisabled).
			Description("Refuse what this source sends, with 403.").
			Default(false),
		service.NewStringListField(srcFieldEvents).
			Description("The event names it may send, as envelopes have them (`trial_started`); others are quarantined. Without any, all.").
			Default([]any{}),
		service.NewStringAnnotatedEnumField(srcFieldIP, map[string]string{
			"drop":     "No address.",
			"truncate": "The network: 24 bits of IPv4, 48 of IPv6.",
			"keep":     "The address.",
		}).Description("What is kept of the user's address in `context.ip`.").Default("truncate"),
		service.NewStringListField(srcFieldOrigins).
			Description("The origins of pages that may send, such as `https://www.example.com`; `*` is all. For `kind: browser`.").
			Default([]any{"*"}),
		service.NewFloatField(srcFieldRateLimit).
			Description("The most requests a second, 0 for no bound. What is above is answered with 429 and `Retry-After`.").
			Default(0).Advanced(),
		service.NewIntField(srcFieldMaxInFlight).
			Description("The most requests at once. What is above is answered with 429.").
			Default(256).Advanced(),
	}
}

func consentFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewObjectMapField(csFieldPurposes,
			service.NewStringListField(csFieldCategories).
				Description("Ids of categories as the consent tool has them, or names of destinations. All must be granted; one of them where a RudderStack event says `resolutionStrategy: or`.").
				Default([]any{}),
			service.NewIntListField(csFieldTCF).
				Description("IAB TCF purposes, 1 to 24, that must all have consent.").Default([]any{}),
			service.NewStringListField(csFieldOptOuts).
				Description("US opt-outs of a GPP string that deny the purpose: `sale sharing targeted_advertising`.").Default([]any{}),
			service.NewBoolField(csFieldGPC).
				Description("Whether Global Privacy Control denies the purpose.").Default(false),
		).Description("By purpose of the policy. One that is not here is never granted by what an SDK says."),
		service.NewIntField(csFieldVendor).
			Description("Your own number on the IAB's vendor list, which a TCF string must then grant too; 0 for none.").
			Default(0).Advanced(),
	}
}

// Register adds the input to the environment.
func Register(env *service.Environment) error {
	return env.RegisterBatchInput(componentName, inputSpec(), func(conf *service.ParsedConfig, mgr *service.Resources) (service.BatchInput, error) {
		return newInput(conf, mgr)
	})
}
