package monitoring

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// composed is a service of compose.yaml.
type composed struct {
	Image       string
	Build       string
	Command     any
	Environment map[string]any
	Ports       []string
	Volumes     []string
	DependsOn   yaml.Node `yaml:"depends_on"`
}

func composeFile(t *testing.T) (services map[string]composed, volumes map[string]any) {
	t.Helper()
	text, err := os.ReadFile("compose.yaml")
	require.NoError(t, err)
	var file struct {
		Services map[string]composed
		Volumes  map[string]any
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	require.Greater(t, len(file.Services), 6)
	return file.Services, file.Volumes
}

// What compose.yaml names exists, and nothing of it answers outside this machine.
func TestComposeHoldsTogether(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	services, volumes := composeFile(t)
	for name, s := range services {
		assert.True(t, s.Build != "" || regexp.MustCompile(`^[a-z0-9/-]+:[A-Za-z0-9.-]*\d[A-Za-z0-9.-]*$`).MatchString(s.Image), "%s: an image with its version", name)
		if s.Build != "" {
			assert.FileExists(t, filepath.Join(s.Build, "Dockerfile"))
		}
		for _, port := range s.Ports {
			assert.Regexp(t, `^127\.0\.0\.1:\d+:\d+$`, port, name)
		}
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if strings.HasPrefix(source, ".") {
				assert.DirExists(t, source, name)
			} else {
				assert.Contains(t, volumes, source, name)
			}
		}
		for _, node := range s.DependsOn.Content {
			if node.Kind == yaml.ScalarNode {
				assert.Contains(t, services, node.Value, name)
			}
		}
	}
}

var (
	variable  = regexp.MustCompile(`\$\{([A-Z_]+)`)
	namedOnly = regexp.MustCompile(`headers_env: ([A-Z_]+)`)
)

// The pipelines and the doors in containers get every variable they ask for.
func TestComposePassesTheEnvironment(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	services, _ := composeFile(t)
	for service, pattern := range map[string]string{
		"ebbgate": "pipelines/streams/*.yaml", "collector": "pipelines/doors/collector.yaml", "webhooks": "pipelines/doors/webhooks.yaml",
	} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files)
		passed := services[service].Environment
		for name := range asked(t, files) {
			assert.Contains(t, passed, name, "compose.yaml does not pass it to %s", service)
		}
		for _, name := range []string{"EBBGATE_BROKERS", "EBBGATE_CLICKHOUSE_DSN", "EBBGATE_STAGING_DSN"} {
			if text, set := passed[name].(string); set {
				assert.Contains(t, services, hostOf(text), name)
			}
		}
	}
	for name := range asked(t, []string{"pipelines/service.yaml"}) {
		assert.Contains(t, services["ebbgate"].Environment, name)
	}
}

// asked are the variables that files ask for, and the file of keys.
func asked(t *testing.T, files []string) map[string]bool {
	names := map[string]bool{"EBBGATE_KEYS_FILE": true}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, form := range []*regexp.Regexp{variable, namedOnly} {
			for _, m := range form.FindAllStringSubmatch(string(text), -1) {
				names[m[1]] = true
			}
		}
	}
	return names
}

// A door can be reached from its port, and cannot change its secrets.
func TestComposeDoorsAreReachedAndHoldTheirSecrets(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	services, _ := composeFile(t)
	for name, variable := range map[string]string{"collector": "EBBGATE_COLLECTOR_ADDRESS", "webhooks": "EBBGATE_WEBHOOK_ADDRESS"} {
		door := services[name]
		address := strings.Split(door.Environment[variable].(string), ":")
		require.Len(t, door.Ports, 1, name)
		assert.Equal(t, []string{"0.0.0.0", strings.Split(door.Ports[0], ":")[2]}, address, name)
		assert.ElementsMatch(t, []string{"keys:/keys:ro", "secrets:/secrets:ro"}, door.Volumes, name)
		command := door.Command.([]any)
		assert.FileExists(t, command[len(command)-1].(string))
	}
}

// hostOf is the machine a host:port or a URL names.
func hostOf(text string) string {
	if _, after, ok := strings.Cut(text, "://"); ok {
		text = after
	}
	if _, after, ok := strings.Cut(text, "@"); ok {
		text = after
	}
	host, _, _ := strings.Cut(text, ":")
	return host
}

// Prometheus and Grafana find in their containers what is mounted there, and each other.
func TestComposeProvisionsMonitoring(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	services, _ := composeFile(t)
	at := func(service, path string) string {
		for _, volume := range services[service].Volumes {
			parts := strings.Split(volume, ":")
			if rest, ok := strings.CutPrefix(path, parts[1]); ok && strings.HasPrefix(parts[0], ".") {
				return filepath.Join(parts[0], rest)
			}
		}
		return path
	}
	var flag string
	for _, word := range services["prometheus"].Command.([]any) {
		if text, ok := strings.CutPrefix(word.(string), "--config.file="); ok {
			flag = text
		}
	}
	config := at("prometheus", flag)
	promtool(t, "check", "config", config)
	text, err := os.ReadFile(config)
	require.NoError(t, err)
	target := regexp.MustCompile(`targets: \[ "([^"]+)" \]`).FindStringSubmatch(string(text))
	require.Contains(t, services, hostOf(target[1]))
	_, port, _ := strings.Cut(target[1], ":")
	require.Equal(t, "0.0.0.0:"+port, services["ebbgate"].Environment["EBBGATE_HTTP_ADDRESS"])

	var sources struct{ Datasources []struct{ UID, URL string } }
	read(t, at("grafana", "/etc/grafana/provisioning/datasources/prometheus.yaml"), &sources)
	require.Len(t, sources.Datasources, 1)
	require.Contains(t, services, hostOf(sources.Datasources[0].URL))
	board, err := os.ReadFile(dashboard)
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`"uid": "([^"]+)"\s*\n\s*\}`).FindAllStringSubmatch(string(board), -1) {
		require.Equal(t, sources.Datasources[0].UID, m[1])
	}
	var providers struct {
		Providers []struct{ Options struct{ Path string } }
	}
	read(t, at("grafana", "/etc/grafana/provisioning/dashboards/ebbgate.yaml"), &providers)
	require.Len(t, providers.Providers, 1)
	require.Equal(t, filepath.Dir(dashboard), at("grafana", providers.Providers[0].Options.Path))
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, into))
}
