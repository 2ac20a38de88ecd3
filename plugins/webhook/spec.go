package webhook

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/door"
	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/signature"
	"github.com/ebbgate/ebbgate/internal/stage"
)

const (
	componentName = "webhook"

	whFieldTopic     = "topic"
	whFieldEndpoints = "endpoints"
	whFieldReceipts  = "receipts"

	epFieldPath        = "path"
	epFieldSource      = "source"
	epFieldProvider    = "provider"
	epFieldSecrets     = "secrets"
	epFieldTolerance   = "tolerance"
	epFieldGeneric     = "generic"
	epFieldID          = "id"
	epFieldType        = "type"
	epFieldRateLimit   = "rate_limit"
	epFieldMaxInFlight = "max_in_flight"

	secFieldID    = "id"
	secFieldEnv   = "env"
	secFieldFile  = "file"
	secFieldUntil = "until"
)

// Metadata a delivery's message carries besides that of every stage.
const (
	MetaSource    = "webhook_source"
	MetaProvider  = "webhook_provider"
	MetaDelivery  = "webhook_id"
	MetaType      = "webhook_type"
	MetaReceipt   = "webhook_receipt"
	MetaSignature = "webhook_signature"
)

func inputSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Network").
		Version("0.1.0").
		Summary("Takes signed webhook deliveries, with a receipt for each attempt, and answers once they are durable.").
		Description(`
Every endpoint verifies the provider's signature over the raw bytes before anything is decoded. A good delivery becomes one
message with the body byte for byte; its metadata `+"`topic`"+`, `+"`key`"+` and `+"`event_id`"+` send it to the inbound topic, keyed so
that repeats of a delivery meet. Map it to the envelope in the stream that reads that topic, after `+"`strict_json`"+`.

**Answers.** 200 once the raw record and its receipt are durable. 503 with `+"`Retry-After`"+` when that is not known in time: the
provider sends again, and the repeat gets the same event id. 401 when the signature is not good. 429, 413, 404 and 405 for
limits, unknown paths and other methods. An answer never repeats anything of the request.

**Receipts** go to the topic with role `+"`receipts`"+`: source, verification, key id, hash and size of the body, the class of the
sender's address, the answer, and the position of the raw record. No payload.

**Secrets** come from the environment or from files, never from the configuration. List two while one is rotated.

Metadata added: `+"`webhook_source`, `webhook_provider`, `webhook_id`, `webhook_type`, `webhook_receipt`, `webhook_signature`"+` (the
headers needed to verify the body again). Write them with the output's `+"`metadata`"+` field.`).
		Fields(inputFields()...).
		Example("Stripe and GitHub", "Two providers, with a secret that is being rotated.", `
input:
  webhook:
    address: 127.0.0.1:8081
    receipts:
      seed_brokers: [ "${EBBGATE_BROKERS:127.0.0.1:9092}" ]
    endpoints:
      - path: /stripe
        source: billing
        provider: stripe
        secrets:
          - { id: "2026-11", env: STRIPE_WEBHOOK_SECRET }
          - { id: "2026-05", env: STRIPE_WEBHOOK_SECRET_OLD, until: "2026-12-01T00:00:00Z" }
      - path: /github
        source: github
        provider: github
        secrets:
          - { id: main, file: /run/secrets/github_webhook }

output:
  redpanda:
    seed_brokers: [ "${EBBGATE_BROKERS:127.0.0.1:9092}" ]
    topic: ${! @topic }
    key: ${! @key }
    metadata:
      include_prefixes: [ webhook_ ]
`)
}

func inputFields() []*service.ConfigField {
	return append(door.Fields("127.0.0.1:8081", "1MiB"),
		stage.WorkspaceField(),
		service.NewStringField(whFieldTopic).
			Description("The topic with role inbound that raw deliveries go to.").
			Default("inbound.webhooks"),
		service.NewObjectField(whFieldReceipts, kafka.ClientFields()...).
			Description("The brokers that receipts are written to."),
		service.NewObjectListField(whFieldEndpoints, endpointFields()...).
			Description("One entry for each provider account that delivers."),
	)
}

func endpointFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewStringField(epFieldPath).
			Description("The path of the URL the provider is given, exactly.").
			Example("/stripe"),
		service.NewStringField(epFieldSource).
			Description("The name of this source: in receipts, metrics and `context.source`, and part of every event id. Never change it."),
		service.NewStringEnumField(epFieldProvider, signature.Providers()...).
			Description("How deliveries are signed."),
		service.NewObjectListField(epFieldSecrets,
			service.NewStringField(secFieldID).Description("A name for the secret, in receipts: its date, for example."),
			service.NewStringField(secFieldEnv).Description("The environment variable that holds it.").Default(""),
			service.NewStringField(secFieldFile).Description("The file that holds it. A line end after it is taken off.").Default(""),
			service.NewStringField(secFieldUntil).Description("When it retires (RFC 3339): deliveries signed with it are refused from then on.").Default(""),
		).Description("The secrets that count now. List the old one beside the new one while it is rotated."),
		service.NewDurationField(epFieldTolerance).
			Description("How far the signed time may lie from now; empty for the provider's own window.").
			Default("0s").Advanced(),
		service.NewObjectField(epFieldGeneric, genericFields()...).
			Description("The scheme of a provider that is not in the list; with `provider: generic` only.").
			Optional().Advanced(),
		service.NewObjectField(epFieldID, placeFields()...).
			Description("Where the provider's id of an event stands, where that is not the provider's own place.").
			Optional().Advanced(),
		service.NewObjectField(epFieldType, placeFields()...).
			Description("Where its type stands, likewise.").
			Optional().Advanced(),
		service.NewFloatField(epFieldRateLimit).
			Description("The most requests a second, 0 for no bound. What is above is answered with 429 and `Retry-After`.").
			Default(0).Advanced(),
		service.NewIntField(epFieldMaxInFlight).
			Description("The most requests at once. What is above is answered with 429.").
			Default(256).Advanced(),
	}
}

func placeFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewStringField("header").Description("The header it stands in.").Default(""),
		service.NewStringField("path").Description("The dotted path of the body it stands at.").Default(""),
	}
}

func genericFields() []*service.ConfigField {
	text := func(name, description string) *service.ConfigField {
		return service.NewStringField(name).Description(description).Default("")
	}
	return []*service.ConfigField{
		service.NewStringField("header").Description("The header that holds the signature."),
		text("prefix", "What stands before the signature in that header, such as `sha256=`."),
		service.NewStringField("content").Description("What is signed: text with `{body}`, and `{timestamp}` and `{id}` where those are signed too.").Example("{timestamp}.{body}"),
		text("algorithm", "sha256 (the default), sha384 or sha512."),
		text("encoding", "hex (the default), base64, base64_raw, base64url or base64url_raw."),
		text("timestamp_header", "The header that `{timestamp}` stands for."),
		text("timestamp_format", "unix (the default), unix_ms or rfc3339."),
		text("id_header", "The header that `{id}` stands for."),
	}
}

// Register adds the input to the environment.
func Register(env *service.Environment) error {
	return env.RegisterBatchInput(componentName, inputSpec(), func(conf *service.ParsedConfig, mgr *service.Resources) (service.BatchInput, error) {
		return newInput(conf, mgr)
	})
}
