package sandbox

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// readyTimeout bounds how long a child may take from its start to its first
// right answer.
const readyTimeout = time.Minute

// askBroker asks for the broker's versions and metadata until it answers.
func askBroker(ctx context.Context, address string) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		return fmt.Errorf("asking the broker: %w", err)
	}
	defer client.Close()
	if err := client.Ping(ctx); err != nil {
		return fmt.Errorf("asking the broker on %s: %w", address, err)
	}
	return nil
}

// askClickHouse runs the smallest query and makes the sandbox's database:
// the embedded engine's own `default` takes no refreshable views.
func askClickHouse(ctx context.Context, address string) error {
	answer, err := runClickHouse(ctx, address, "SELECT 1")
	if err != nil {
		return err
	}
	if answer != "1" {
		return fmt.Errorf("asking ClickHouse for 1: it answered %q", answer)
	}
	_, err = runClickHouse(ctx, address, "CREATE DATABASE IF NOT EXISTS "+Database)
	return err
}

func runClickHouse(ctx context.Context, address, statement string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/", strings.NewReader(statement))
	if err != nil {
		return "", fmt.Errorf("asking ClickHouse: %w", err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("asking ClickHouse: %w", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if err != nil {
		return "", fmt.Errorf("asking ClickHouse: %w", err)
	}
	answer := strings.TrimSpace(string(text))
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("asking ClickHouse: %s: %s", res.Status, answer)
	}
	return answer, nil
}
