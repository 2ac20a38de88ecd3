package generate

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ebbgate/ebbgate/internal/npm"
)

// GitHubExamples is the package of real GitHub webhook payloads that Octokit publishes under the MIT licence. It is
// fetched into a cache when asked for and is no part of this repository.
var GitHubExamples = npm.Package{
	Name:      "@octokit/webhooks-examples",
	Version:   "7.6.1",
	Integrity: "sha512-De6U3XB6O3DtCa7bKgCMzTHdeopqqZ6SNivMYJnK65ierKL1AnNIA0tkRYCRS7lwGT792d+Ps1WbfHlso6MynQ==",
}

// The names under which GitHub's two headers travel with a record, and under which the mapping reads them.
const (
	HeaderGitHubEvent    = "x-github-event"
	HeaderGitHubDelivery = "x-github-delivery"
)

// Delivery is one webhook delivery: the body as GitHub would send it, and the two headers that matter.
type Delivery struct {
	// Event is the X-GitHub-Event header, such as "pull_request".
	Event string
	// ID is the X-GitHub-Delivery header: a UUID, here made from the event and the body, so that it is always the same.
	ID string
	// Body is compact JSON.
	Body []byte
}

// GitHub fetches the examples through the npm client, or finds them in the cache, and returns all deliveries in
// the order of the package.
func GitHub(ctx context.Context, from npm.Fetcher) ([]Delivery, error) {
	dir, err := from.Fetch(ctx, GitHubExamples)
	if err != nil {
		return nil, err
	}
	return readDeliveries(filepath.Join(dir, "api.github.com", "index.json"))
}

func readDeliveries(path string) ([]Delivery, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the GitHub examples: %w", err)
	}
	var groups []struct {
		Name     string            `json:"name"`
		Examples []json.RawMessage `json:"examples"`
	}
	if err := json.Unmarshal(text, &groups); err != nil {
		return nil, fmt.Errorf("parsing the GitHub examples: %w", err)
	}
	var out []Delivery
	for _, group := range groups {
		for _, example := range group.Examples {
			var body bytes.Buffer
			if err := json.Compact(&body, example); err != nil {
				return nil, fmt.Errorf("compacting a GitHub example of %s: %w", group.Name, err)
			}
			out = append(out, Delivery{group.Name, deliveryID(group.Name, body.Bytes()), body.Bytes()})
		}
	}
	return out, nil
}

// deliveryID is a UUID of version 8 (made by the application) out of the event and the body.
func deliveryID(event string, body []byte) string {
	hash := sha256.New()
	fmt.Fprintf(hash, "%s\x00", event)
	hash.Write(body)
	id := hash.Sum(nil)[:16]
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
