package webhook

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/signature"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// Described is an endpoint as a stream's file describes it: for those who verify a delivery again, sign a sample or make secrets.
type Described struct {
	URL, Source, Provider string
	// SecretFiles are those that hold its secrets; a secret in the environment has none.
	SecretFiles []string
	conf        *service.ParsedConfig
}

// Describe reads the endpoints of a stream's file, of which variables were replaced. Another input has none.
func Describe(text string) ([]Described, error) {
	spec := service.NewConfigSpec().Field(service.NewObjectField("input",
		service.NewObjectField(componentName, inputFields()...).Optional(),
	).Optional())
	conf, err := spec.ParseYAML(text, nil)
	if err != nil {
		return nil, err
	}
	if !conf.Contains("input", componentName) {
		return nil, nil
	}
	conf = conf.Namespace("input", componentName)
	address, err := conf.FieldString("address")
	if err != nil {
		return nil, err
	}
	protocol := "http://"
	if conf.Contains("tls") {
		protocol = "https://"
	}
	list, err := conf.FieldObjectList(whFieldEndpoints)
	if err != nil {
		return nil, err
	}
	found := make([]Described, 0, len(list))
	for i, one := range list {
		d, err := describeEndpoint(one, protocol+address)
		if err != nil {
			return nil, fmt.Errorf("endpoints[%d]: %w", i, err)
		}
		found = append(found, d)
	}
	return found, nil
}

func describeEndpoint(conf *service.ParsedConfig, base string) (d Described, err error) {
	ep := &endpoint{}
	if err := ep.name(conf); err != nil {
		return d, err
	}
	d = Described{URL: base + ep.path, Source: ep.source, Provider: ep.provider, conf: conf}
	secrets, err := conf.FieldObjectList(epFieldSecrets)
	if err != nil {
		return d, err
	}
	for _, secret := range secrets {
		file, err := secret.FieldString(secFieldFile)
		if err != nil {
			return d, err
		}
		if file != "" {
			d.SecretFiles = append(d.SecretFiles, file)
		}
	}
	return d, nil
}

// Scheme verifies and signs with the endpoint's secrets, or only with those that are given.
func (d *Described) Scheme(instead ...signature.Secret) (*signature.Scheme, error) {
	if len(instead) == 0 {
		return parseScheme(d.conf, d.Provider)
	}
	c, err := parseWire(d.conf, d.Provider)
	if err != nil {
		return nil, err
	}
	c.Secrets = instead
	return signature.New(c)
}

// DescribeAll reads the endpoints of every stream and door of a workspace.
func DescribeAll(fsys fs.FS, lookup func(string) (string, bool)) ([]Described, error) {
	files, err := workspace.EngineFiles(fsys, false)
	if err != nil {
		return nil, err
	}
	var all []Described
	for _, file := range files {
		text, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(text, []byte(componentName+":")) {
			continue // what is wrong with streams of others is for others to say
		}
		found, err := Describe(workspace.Expand(string(text), lookup))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// ErrNoEndpoint says that no stream of the workspace has such an endpoint.
var ErrNoEndpoint = errors.New("no endpoint of the workspace has this source or provider: see doors/ and streams/")

// Choose finds the endpoint of a source, or else the first of a provider.
func Choose(all []Described, name string) (*Described, error) {
	for i := range all {
		if all[i].Source == name {
			return &all[i], nil
		}
	}
	for i := range all {
		if all[i].Provider == name {
			return &all[i], nil
		}
	}
	sources := make([]string, len(all))
	for i := range all {
		sources[i] = all[i].Source
	}
	return nil, fmt.Errorf("%w; sources are %s", ErrNoEndpoint, cmp.Or(strings.Join(sources, ", "), "none"))
}
