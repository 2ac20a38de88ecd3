package kafka

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Names of the connection fields. They are the names Redpanda Connect uses, so a configuration moves over unchanged.
const (
	FieldSeedBrokers     = "seed_brokers"
	FieldClientID        = "client_id"
	FieldTLS             = "tls"
	FieldSASL            = "sasl"
	FieldMetadataMaxAge  = "metadata_max_age"
	FieldRequestOverhead = "request_timeout_overhead"
	FieldConnIdleTimeout = "conn_idle_timeout"
)

// ClientFields returns the connection fields shared by all components that open a client. ParseClient reads them.
func ClientFields() []*service.ConfigField {
	return []*service.ConfigField{
		service.NewStringListField(FieldSeedBrokers).
			Description("Addresses of brokers to find the cluster through, each `host:port`. An item may hold several addresses separated by commas.").
			Example([]string{"localhost:9092"}).
			Example([]string{"broker-0:9092", "broker-1:9092,broker-2:9092"}).
			LintRule(`root = if this.type() == "array" && this.length() == 0 { "name at least one broker in seed_brokers" }`),
		service.NewStringField(FieldClientID).
			Description("The name this client gives itself in the broker's logs, quotas and metrics.").
			Default("ebbgate").Advanced(),
		service.NewTLSToggledField(FieldTLS),
		saslField(),
		durationField(FieldMetadataMaxAge, "1m", "How old the client's picture of topics and leaders may get before it is refreshed."),
		durationField(FieldRequestOverhead, "10s", "How much longer than its own timeout a request may take before its connection is given up."),
		durationField(FieldConnIdleTimeout, "20s", "How long a connection may stand idle before it is closed."),
	}
}

func durationField(name, fallback, description string) *service.ConfigField {
	return service.NewDurationField(name).Description(description).Default(fallback).Advanced().LintRule(DurationRule)
}

// DurationRule is a lint rule for duration fields: the engine itself lints only their type.
const DurationRule = `root = if this.type() == "string" && this.parse_duration().catch(0) <= 0 { "expected a duration above zero such as 500ms, 10s or 1m" }`

// Client is the connection part of a component's configuration. It holds no connection and may be kept and reused.
// It cannot be printed: SASL secrets would be in the text.
type Client struct {
	seeds    []string
	clientID string
	tls      *tls.Config
	sasl     []saslConfig
	maxAge   time.Duration
	overhead time.Duration
	idle     time.Duration
	logger   *service.Logger
}

// String names the brokers, never the credentials.
func (c *Client) String() string { return "kafka client of " + strings.Join(c.seeds, ",") }

// GoString is String: credentials stay out of %#v as well.
func (c *Client) GoString() string { return c.String() }

// Seeds returns the broker addresses, in the order configured. The caller must not modify them.
func (c *Client) Seeds() []string { return c.seeds }

// ParseClient reads the fields of ClientFields from conf. mgr may be nil in tests; it gives the client its logger.
func ParseClient(conf *service.ParsedConfig, mgr *service.Resources) (*Client, error) {
	c := &Client{}
	if mgr != nil {
		c.logger = mgr.Logger()
	}
	if err := c.parseSeeds(conf); err != nil {
		return nil, err
	}
	var err error
	if c.clientID, err = conf.FieldString(FieldClientID); err != nil {
		return nil, err
	}
	tlsConf, enabled, err := conf.FieldTLSToggled(FieldTLS)
	if err != nil {
		return nil, err
	}
	if enabled {
		c.tls = tlsConf
	}
	if c.sasl, err = parseSASL(conf); err != nil {
		return nil, err
	}
	for name, into := range map[string]*time.Duration{
		FieldMetadataMaxAge: &c.maxAge, FieldRequestOverhead: &c.overhead, FieldConnIdleTimeout: &c.idle,
	} {
		if *into, err = ParseDuration(conf, name); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Login is how a command outside a pipeline reaches the brokers. Without a Mechanism it does not authenticate.
type Login struct {
	Seeds                     []string // each host:port, or several separated by commas
	TLS                       bool
	Mechanism, User, Password string
}

// NewClient returns the client that a login describes, with the defaults of ClientFields for the rest.
func NewClient(login Login) (*Client, error) {
	c := &Client{clientID: "ebbgate", maxAge: time.Minute, overhead: 10 * time.Second, idle: 20 * time.Second}
	if err := c.addSeeds(login.Seeds); err != nil {
		return nil, err
	}
	if login.TLS {
		c.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if login.Mechanism == "" {
		return c, nil
	}
	s := saslConfig{name: login.Mechanism, user: login.User, pass: login.Password, token: login.Password}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("reading the login: %w", err)
	}
	c.sasl = []saslConfig{s}
	return c, nil
}

func (c *Client) parseSeeds(conf *service.ParsedConfig) error {
	list, err := conf.FieldStringList(FieldSeedBrokers)
	if err != nil {
		return err
	}
	return c.addSeeds(list)
}

func (c *Client) addSeeds(list []string) error {
	for _, item := range list {
		for seed := range strings.SplitSeq(item, ",") {
			if seed = strings.TrimSpace(seed); seed != "" {
				c.seeds = append(c.seeds, seed)
			}
		}
	}
	if len(c.seeds) == 0 {
		return errors.New("reading seed_brokers: no broker is named; set it to the address of at least one, such as localhost:9092")
	}
	return nil
}

// ParseDuration reads the duration field at path and refuses anything not above zero.
func ParseDuration(conf *service.ParsedConfig, path ...string) (time.Duration, error) {
	d, err := conf.FieldDuration(path...)
	if err != nil {
		return 0, fmt.Errorf("reading %s: %w", strings.Join(path, "."), err)
	}
	if d <= 0 {
		return 0, fmt.Errorf("reading %s: the duration must be above zero", strings.Join(path, "."))
	}
	return d, nil
}

// Options returns the client options that the connection fields stand for. Options of the component go after them.
func (c *Client) Options() []kgo.Opt {
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.seeds...),
		kgo.ClientID(c.clientID),
		kgo.SoftwareNameAndVersion("ebbgate", "0.1.0"),
		kgo.MetadataMaxAge(c.maxAge),
		kgo.MetadataMinAge(min(time.Second, c.maxAge)),
		kgo.RequestTimeoutOverhead(c.overhead),
		kgo.ConnIdleTimeout(c.idle),
		kgo.WithLogger(&clientLogger{log: c.logger}),
	}
	if c.tls != nil {
		opts = append(opts, kgo.DialTLSConfig(c.tls))
	}
	for _, s := range c.sasl {
		opts = append(opts, kgo.SASL(s.mechanism()))
	}
	return opts
}

// ClientOptions is ParseClient and Options in one, for components that need no more of the configuration.
func ClientOptions(conf *service.ParsedConfig, mgr *service.Resources) ([]kgo.Opt, error) {
	c, err := ParseClient(conf, mgr)
	if err != nil {
		return nil, err
	}
	return c.Options(), nil
}
