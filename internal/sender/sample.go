package sender

import (
	"crypto/rand"
	"embed"
	"fmt"
	"strconv"
	"strings"
	"time"
)

//go:embed samples
var samples embed.FS

// types are those of the samples, where a provider states them in a header.
var types = map[string]string{"github": "push", "shopify": "orders/create"}

// Sample is a provider's sample under an id and as if it happened at a time. Of a list each event has the id and its number.
func Sample(provider, id string, at time.Time) ([]byte, error) {
	file := provider
	if provider == "svix" {
		file = "standard_webhooks"
	}
	text, err := samples.ReadFile("samples/" + file + ".json")
	if err != nil {
		return nil, fmt.Errorf("there is no sample of %s: name a file with a body", provider)
	}
	filled := strings.NewReplacer(
		"{{id}}", id, "{{unix}}", strconv.FormatInt(at.Unix(), 10), "{{time}}", at.UTC().Format("2006-01-02T15:04:05.000Z"),
	).Replace(string(text))
	return []byte(strings.TrimSuffix(filled, "\n")), nil
}

// SampleType is the type of a provider's sample, where that is sent in a header.
func SampleType(provider string) string { return types[provider] }

// NewID draws an id for a sample.
func NewID() string { return "evt_" + strings.ToLower(rand.Text()) }

// Subjects are the user ids of those whom the samples are about.
func Subjects() []string {
	return []string{"u_ada", "github:583231", "shopify:207119551", "slack:U061F7AUR"}
}
