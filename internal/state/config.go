package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/topics"
)

// EnvironmentStatic names the variable without which a static state is refused. `ebbgate test` sets it; a stream that delivers
// must not be able to, so it is no field.
const EnvironmentStatic = "EBBGATE_STATIC_STATE"

// FieldName is the name of the field that ConfigField returns.
const FieldName = "state"

const (
	fieldConsentTopic     = "consent_topic"
	fieldSuppressionTopic = "suppression_topic"
	fieldErasuresTopic    = "erasures_topic"
	fieldLinksTopic       = "identity_topic"

	fieldHTTP            = "http"
	fieldHTTPURL         = "url"
	fieldHTTPTimeout     = "timeout"
	fieldHTTPCacheTTL    = "cache_ttl"
	fieldHTTPCacheSize   = "cache_size"
	fieldHTTPMaxInFlight = "max_in_flight"

	fieldStatic           = "static"
	fieldStaticUser       = "user_id"
	fieldStaticAccount    = "account_id"
	fieldStaticAnonymous  = "anonymous_id"
	fieldStaticPurposes   = "purposes"
	fieldStaticSuppressed = "suppressed"
	fieldStaticErased     = "erased"
	fieldStaticVersion    = "version"
)

// Rule is the lint rule of a component with the field. It is the component's because the engine does not look into a field that is
// not there.
const Rule = `let state = this.state.or({})
let static = $state.static.or([]).length() > 0
let brokers = $state.seed_brokers.or([]).length() > 0
root = if $static && ($brokers || $state.exists("http")) {
  "static state is for tests: it cannot be combined with seed_brokers or http"
} else if !$static && !$brokers && !($state.exists("http") && $state.suppression_topic.or("x") == "" && $state.erasures_topic.or("x") == "" && $state.identity_topic.or("x") == "") {
  "seed_brokers is needed to read consent, suppression, erasures and identity links; with http and no such topics set suppression_topic, erasures_topic and identity_topic to an empty string"
}`

// ConfigField is the object field, named state, that says where consent, suppression and erasure are read.
func ConfigField() *service.ConfigField {
	fields := kafka.ClientFields()
	fields[0].Optional()
	fields = append(fields,
		service.NewStringField(fieldConsentTopic).Description("Compacted topic of consent records. Not read when `http` is set.").Default("privacy.consent").Advanced(),
		service.NewStringField(fieldSuppressionTopic).Description("Compacted topic of suppressions. Empty: there is none.").Default("privacy.suppression").Advanced(),
		service.NewStringField(fieldErasuresTopic).Description("Compacted topic of erasures. Empty: there is none.").Default("privacy.erasures").Advanced(),
		service.NewStringField(fieldLinksTopic).Description("Compacted topic of identity links: what is said of one identifier of a person holds of all. Empty: there is none.").Default("identity.links").Advanced(),
		httpField(),
		staticField(),
	)
	return service.NewObjectField(FieldName, fields...).
		Description("Where the current consent, suppression and erasure of a subject are read. " +
			"While any of it cannot be read up to this moment, events wait: they are neither delivered nor denied.")
}

func httpField() *service.ConfigField {
	return service.NewObjectField(fieldHTTP,
		service.NewURLField(fieldHTTPURL).Description("Base address. `GET {url}/{subject_key}` answers 200 with a consent record, or 404 when the subject has none. "+
			"Anything else means that the service is unavailable, and events wait.").Example("https://consent.internal/v1/subjects"),
		service.NewDurationField(fieldHTTPTimeout).Description("How long one request may take before it is tried again.").Default("2s").LintRule(kafka.DurationRule),
		service.NewDurationField(fieldHTTPCacheTTL).Description("How old an answer may be and still count as current. A withdrawal takes up to this long to be seen; with 0s every batch asks.").Default("0s"),
		service.NewIntField(fieldHTTPCacheSize).Description("How many answers are kept when `cache_ttl` is above zero.").Default(100_000).
			LintRule(`root = if this < 1 { "cache_size must be at least 1" }`),
		service.NewIntField(fieldHTTPMaxInFlight).Description("How many requests run at a time.").Default(32).
			LintRule(`root = if this < 1 { "max_in_flight must be at least 1" }`),
	).Description("A consent service that is asked instead of reading `consent_topic`.").Optional()
}

func staticField() *service.ConfigField {
	return service.NewObjectListField(fieldStatic,
		service.NewStringField(fieldStaticUser).Description("The subject's user_id.").Optional(),
		service.NewStringField(fieldStaticAccount).Description("The subject's account_id.").Optional(),
		service.NewStringField(fieldStaticAnonymous).Description("The subject's anonymous_id.").Optional(),
		service.NewAnyMapField(fieldStaticPurposes).Description("Purposes the consent record states, each true or false. Absent: there is no consent record.").Optional(),
		service.NewBoolField(fieldStaticSuppressed).Description("Whether the subject is suppressed.").Default(false),
		service.NewBoolField(fieldStaticErased).Description("Whether the subject is erased.").Default(false),
		service.NewIntField(fieldStaticVersion).Description("Version of the consent record.").Default(1),
	).Description("A fixed state, for tests of pipelines: subjects that are not listed have no record. At least one is needed, so that forgetting to say where state is does not pass for it.").Optional().Advanced()
}

// FromParsed builds the lookup that the field state describes; conf is the component's configuration, which holds the
// field. No connection is made before the first Read. ring turns the ids of a static state into pseudonyms and is not
// used otherwise.
func FromParsed(conf *service.ParsedConfig, mgr *service.Resources, ring *keys.Ring) (Lookup, error) {
	conf = conf.Namespace(FieldName)
	subjects, err := conf.FieldObjectList(fieldStatic)
	if err != nil {
		return nil, err
	}
	if len(subjects) > 0 {
		if os.Getenv(EnvironmentStatic) == "" {
			return nil, errors.New("reading state: static is for `ebbgate test` and must not answer for a running stream: name the brokers in seed_brokers")
		}
		brokers, err := conf.FieldStringList(kafka.FieldSeedBrokers)
		if err != nil {
			return nil, err
		}
		if len(brokers) > 0 || conf.Contains(fieldHTTP) {
			return nil, errors.New("reading state: static cannot be combined with seed_brokers or http")
		}
		return parseStatic(subjects, ring)
	}
	names, err := parseTopics(conf)
	if err != nil {
		return nil, err
	}
	l := &lookup{waiting: waiting{gauge: mgr.Metrics().NewGauge("ebbgate_state_waiting")}}
	if conf.Contains(fieldHTTP) {
		names.consent = ""
		if l.http, err = parseHTTP(conf.Namespace(fieldHTTP), mgr); err != nil {
			return nil, err
		}
	} else if names.consent == "" {
		return nil, errors.New("reading state: consent_topic is empty and http is not set, so consent could never be known")
	}
	if names == (topicNames{}) {
		return l, nil
	}
	client, err := kafka.ParseClient(conf, mgr)
	if err != nil {
		return nil, fmt.Errorf("reading state: %w", err)
	}
	l.views = shareViews(client, mgr, names)
	return l, nil
}

// CheckTopics refuses a configuration that reads state from other topics than those the workspace has for it, or from none:
// with an empty topic of erasures an erased subject would be delivered.
func CheckTopics(conf *service.ParsedConfig, set *topics.Set) error {
	if Static(conf) {
		return nil
	}
	for _, t := range []struct {
		field string
		role  topics.Role
	}{{fieldConsentTopic, topics.Consent}, {fieldSuppressionTopic, topics.Suppression}, {fieldErasuresTopic, topics.Erasures}, {fieldLinksTopic, topics.Identity}} {
		name, err := conf.FieldString(FieldName, t.field)
		if err != nil {
			return err
		}
		if topic, ok := set.ByRole(t.role); !ok || topic.Name != name {
			return fmt.Errorf("reading state.%s: it must be the topic with role %s in %s", t.field, t.role, set.File)
		}
	}
	return nil
}

type topicNames struct{ consent, suppression, erasures, links string }

func parseTopics(conf *service.ParsedConfig) (n topicNames, err error) {
	taken := map[string]string{}
	for _, t := range []struct {
		field string
		name  *string
	}{
		{fieldConsentTopic, &n.consent}, {fieldSuppressionTopic, &n.suppression}, {fieldErasuresTopic, &n.erasures}, {fieldLinksTopic, &n.links},
	} {
		if *t.name, err = conf.FieldString(t.field); err != nil {
			return n, err
		}
		if other, ok := taken[*t.name]; ok && *t.name != "" {
			return n, fmt.Errorf("reading state: %s and %s must differ", other, t.field)
		}
		taken[*t.name] = t.field
	}
	return n, nil
}

func parseHTTP(conf *service.ParsedConfig, mgr *service.Resources) (*httpConsent, error) {
	base, err := conf.FieldURL(fieldHTTPURL)
	if err != nil {
		return nil, fmt.Errorf("reading state.http.url: %w", err)
	}
	if (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return nil, errors.New("reading state.http.url: an http or https address with a host is needed")
	}
	timeout, err := kafka.ParseDuration(conf, fieldHTTPTimeout)
	if err != nil {
		return nil, err
	}
	ttl, err := conf.FieldDuration(fieldHTTPCacheTTL)
	if err != nil {
		return nil, err
	}
	size, err := conf.FieldInt(fieldHTTPCacheSize)
	if err != nil {
		return nil, err
	}
	inFlight, err := conf.FieldInt(fieldHTTPMaxInFlight)
	if err != nil {
		return nil, err
	}
	if size < 1 || inFlight < 1 || ttl < 0 {
		return nil, errors.New("reading state.http: cache_size and max_in_flight must be at least 1 and cache_ttl not negative")
	}
	return newHTTPConsent(httpOptions{base: base, timeout: timeout, ttl: ttl, size: size, inFlight: inFlight}, mgr), nil
}

// closeTimeout bounds how long a share of the views may take to be given up when the engine sets no bound itself.
const closeTimeout = 10 * time.Second

func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, closeTimeout)
}

// Static reports whether a component's field state holds a fixed state, for tests, instead of a broker. The engine gives
// an empty list where the field is not set, so that its mere presence says nothing.
func Static(conf *service.ParsedConfig) bool {
	subjects, err := conf.FieldObjectList(FieldName, fieldStatic)
	return err == nil && len(subjects) > 0
}

// AsksService reports whether a component asks a consent service, so that no topic holds consent.
func AsksService(conf *service.ParsedConfig) bool {
	return conf.Contains(FieldName, fieldHTTP)
}
