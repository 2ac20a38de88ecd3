package segment

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRoutes(t *testing.T) {
	for _, c := range []struct {
		method, path string
		want         Route
	}{
		{"POST", "/v1/track", Route{Kind: Single, Type: Track}},
		{"POST", "/v1/t", Route{Kind: Single, Type: Track}},
		{"POST", "/t", Route{Kind: Single, Type: Track}},
		{"POST", "/v1/i", Route{Kind: Single, Type: Identify}},
		{"POST", "/v1/page/", Route{Kind: Single, Type: Page}},
		{"POST", "/v1/s", Route{Kind: Single, Type: Screen}},
		{"POST", "/v1/group", Route{Kind: Single, Type: Group}},
		{"POST", "/v1/a", Route{Kind: Single, Type: Alias}},
		{"POST", "/v1/batch", Route{Kind: Batch}},
		{"POST", "/v1/import", Route{Kind: Batch}},
		{"POST", "/b", Route{Kind: Batch}},
		{"POST", "/beacon/v1/batch", Route{Kind: Batch, KeyInQuery: true}},
		{"POST", "/v1/merge", Route{Kind: Single}},
		{"GET", "/sourceConfig/", Route{Kind: SourceConfig, KeyInQuery: true}},
		{"GET", "/cluster-info", Route{Kind: ClusterInfo}},
		{"POST", "/v1/m", Route{Kind: Discard}},
		{"GET", "/v1/pixel/track", Route{Kind: Pixel, Type: Track, KeyInQuery: true}},
		{"GET", "/pixel/v1/page", Route{Kind: Pixel, Type: Page, KeyInQuery: true}},
		{"GET", "/v1/projects/wk_1/settings", Route{Kind: Settings, WriteKey: "wk_1"}},
		{"GET", "/projects/wk_1/settings", Route{Kind: Settings, WriteKey: "wk_1"}},
	} {
		got, ok := ParseRoute(c.method, c.path)
		require.True(t, ok, c.path)
		require.Equal(t, c.want, got, c.path)
	}
	for _, c := range [][2]string{
		{"GET", "/v1/track"},
		{"PUT", "/v1/track"},
		{"POST", "/v1"},
		{"POST", "/v1track"},
		{"POST", "/"},
		{"POST", "/v2/track"},
		{"POST", "/v1/x"},
		{"GET", "/v1/pixel/t"},
		{"GET", "/v1/pixel/"},
		{"GET", "/projects//settings"},
		{"GET", "/projects/a/b/settings"},
		{"GET", "/projects/a"},
		{"POST", "/projects/a/settings"},
	} {
		_, ok := ParseRoute(c[0], c[1])
		require.False(t, ok, "%s", c)
	}
}

func TestSettingsAreADocument(t *testing.T) {
	var settings struct {
		Integrations map[string]struct {
			APIKey string `json:"apiKey"`
		} `json:"integrations"`
		Plan map[string]any `json:"plan"`
	}
	require.NoError(t, json.Unmarshal(AppendSettings(nil, `wk"1`, "https", "events.example.com/v1"), &settings))
	require.Equal(t, `wk"1`, settings.Integrations["Segment.io"].APIKey)
	require.Len(t, settings.Plan, 3)
}
