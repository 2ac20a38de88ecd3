package door

import (
	"crypto/tls"
	"fmt"

	"github.com/dustin/go-humanize"
	"github.com/redpanda-data/benthos/v4/public/service"
)

const (
	fieldAddress        = "address"
	fieldTLS            = "tls"
	fieldCertFile       = "cert_file"
	fieldKeyFile        = "key_file"
	fieldTimeout        = "timeout"
	fieldReadTimeout    = "read_timeout"
	fieldHeaderTimeout  = "header_timeout"
	fieldIdleTimeout    = "idle_timeout"
	fieldMaxBody        = "max_body_bytes"
	fieldMaxRatio       = "max_gzip_ratio"
	fieldMaxHeader      = "max_header_bytes"
	fieldMaxConnections = "max_connections"
	fieldMaxStreams     = "max_http2_streams"
	fieldMemoryLimit    = "memory_limit"
	fieldTrustedProxies = "trusted_proxies"
)

// Fields are the configuration fields of a door.
func Fields(address, maxBody string) []*service.ConfigField {
	positive := func(name string) string { return fmt.Sprintf(`root = if this <= 0 { "%s must be positive" }`, name) }
	return []*service.ConfigField{
		service.NewStringField(fieldAddress).
			Description("Where to listen. Only this machine can reach the default; put `0.0.0.0:PORT` there once `tls` is set or a proxy that ends TLS stands in front.").
			Default(address),
		service.NewObjectField(fieldTLS,
			service.NewStringField(fieldCertFile).Description("A PEM file with the certificate and its chain."),
			service.NewStringField(fieldKeyFile).Description("A PEM file with the private key."),
		).Description("Serve HTTPS, with HTTP/2 for clients that want it.").Optional(),
		service.NewStringListField(fieldTrustedProxies).
			Description("Addresses or ranges whose `X-Forwarded-For` is believed. Without any, the address of the connection is the client's.").
			Example([]string{"10.0.0.0/8"}).
			Default([]any{}),
		service.NewDurationField(fieldTimeout).
			Description("How long a request may wait to become durable. After that it is answered with 503, and its sender has to send it again.").
			Default("8s"),
		service.NewDurationField(fieldReadTimeout).
			Description("How long a whole request may take to arrive.").
			Default("10s").Advanced(),
		service.NewDurationField(fieldHeaderTimeout).
			Description("How long the head of a request may take to arrive.").
			Default("5s").Advanced(),
		service.NewDurationField(fieldIdleTimeout).
			Description("How long a connection is kept open between requests.").
			Default("75s").Advanced(),
		service.NewStringField(fieldMaxBody).
			Description("The largest body, before and after decompression.").
			Default(maxBody),
		service.NewIntField(fieldMaxRatio).
			Description("How many bytes one compressed byte may become, beyond the first 64 KiB.").
			Default(100).LintRule(positive(fieldMaxRatio)).Advanced(),
		service.NewStringField(fieldMaxHeader).
			Description("The largest head of a request.").
			Default("32KiB").Advanced(),
		service.NewIntField(fieldMaxConnections).
			Description("How many connections may be open at once; further ones wait.").
			Default(10000).LintRule(positive(fieldMaxConnections)).Advanced(),
		service.NewIntField(fieldMaxStreams).
			Description("How many requests one HTTP/2 connection may have open.").
			Default(100).LintRule(positive(fieldMaxStreams)).Advanced(),
		service.NewStringField(fieldMemoryLimit).
			Description("The most that the bodies of all requests on their way may take. Beyond it requests are answered with 503 and `Retry-After`.").
			Default("64MiB"),
	}
}

// Parse reads those fields.
func Parse(conf *service.ParsedConfig) (*Config, error) {
	cfg := &Config{}
	var err error
	if cfg.Address, err = conf.FieldString(fieldAddress); err != nil {
		return nil, err
	}
	if cfg.TLS, err = parseTLS(conf); err != nil {
		return nil, err
	}
	if err := cfg.parseTimes(conf); err != nil {
		return nil, err
	}
	if err := cfg.parseSizes(conf); err != nil {
		return nil, err
	}
	proxies, err := conf.FieldStringList(fieldTrustedProxies)
	if err != nil {
		return nil, err
	}
	cfg.Proxies, err = ParseProxies(proxies)
	return cfg, err
}

func parseTLS(conf *service.ParsedConfig) (*tls.Config, error) {
	if !conf.Contains(fieldTLS) {
		return nil, nil
	}
	certFile, err := conf.FieldString(fieldTLS, fieldCertFile)
	if err != nil {
		return nil, err
	}
	keyFile, err := conf.FieldString(fieldTLS, fieldKeyFile)
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("reading tls.cert_file and tls.key_file: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}, nil
}

func (c *Config) parseTimes(conf *service.ParsedConfig) (err error) {
	if c.AnswerTimeout, err = conf.FieldDuration(fieldTimeout); err != nil {
		return err
	}
	if c.ReadTimeout, err = conf.FieldDuration(fieldReadTimeout); err != nil {
		return err
	}
	if c.HeaderTimeout, err = conf.FieldDuration(fieldHeaderTimeout); err != nil {
		return err
	}
	if c.IdleTimeout, err = conf.FieldDuration(fieldIdleTimeout); err != nil {
		return err
	}
	if min(c.AnswerTimeout, c.ReadTimeout, c.HeaderTimeout, c.IdleTimeout) <= 0 {
		return fmt.Errorf("%s, %s, %s and %s must be positive: without them one slow client holds a connection for ever", fieldTimeout, fieldReadTimeout, fieldHeaderTimeout, fieldIdleTimeout)
	}
	return nil
}

func (c *Config) parseSizes(conf *service.ParsedConfig) (err error) {
	var header int64
	for _, size := range []struct {
		field string
		to    *int64
	}{{fieldMaxBody, &c.Body.MaxBytes}, {fieldMaxHeader, &header}, {fieldMemoryLimit, &c.MemoryLimit}} {
		if *size.to, err = ParseSize(conf, size.field); err != nil {
			return err
		}
	}
	c.MaxHeaderBytes = int(header)
	if c.MemoryLimit < c.Body.MaxBytes {
		return fmt.Errorf("memory_limit is smaller than max_body_bytes: no request of that size would ever be taken")
	}
	ratio, err := conf.FieldInt(fieldMaxRatio)
	if err != nil {
		return err
	}
	c.Body.MaxRatio = int64(ratio)
	if c.MaxConnections, err = conf.FieldInt(fieldMaxConnections); err != nil {
		return err
	}
	c.MaxStreams, err = conf.FieldInt(fieldMaxStreams)
	return err
}

func ParseSize(conf *service.ParsedConfig, field string) (int64, error) {
	text, err := conf.FieldString(field)
	if err != nil {
		return 0, err
	}
	n, err := humanize.ParseBytes(text)
	if err != nil || n == 0 || n > 1<<30 {
		return 0, fmt.Errorf("%s must be a size between 1 byte and 1 GiB, such as 512KiB", field)
	}
	return int64(n), nil
}
