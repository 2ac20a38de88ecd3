// Package signatures holds internal/signature against the packages that the vendors themselves publish.
package signatures

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ebbgate/ebbgate/internal/signature"
)

// job is one delivery for the vendor's package: to be signed, or with headers, to be verified.
type job struct {
	Provider string            `json:"provider"`
	Secret   string            `json:"secret"`
	ID       string            `json:"id"`
	At       int64             `json:"at"`
	Body     string            `json:"body"`
	Header   map[string]string `json:"header,omitempty"`

	what string // was done to it
}

type answer struct {
	Header   map[string]string `json:"header"`
	Accepted bool              `json:"accepted"`
	Why      string            `json:"why"`
}

// ask runs the jobs in one process.
func ask(t *testing.T, jobs []job) []answer {
	t.Helper()
	node, args := vendors(t)
	var in, out, errs bytes.Buffer
	encoder := json.NewEncoder(&in)
	for _, j := range jobs {
		require.NoError(t, encoder.Encode(j))
	}
	cmd := exec.CommandContext(t.Context(), node, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &in, &out, &errs
	require.NoError(t, cmd.Run(), "%s", errs.String())
	answers := make([]answer, 0, len(jobs))
	for decoder := json.NewDecoder(&out); decoder.More(); {
		var a answer
		require.NoError(t, decoder.Decode(&a))
		answers = append(answers, a)
	}
	require.Len(t, answers, len(jobs))
	return answers
}

func (j job) header() http.Header {
	header := http.Header{}
	for name, text := range j.Header {
		header.Set(name, text)
	}
	return header
}

func (j job) scheme(t *testing.T) *signature.Scheme {
	t.Helper()
	s, err := signature.New(signature.Config{Provider: j.Provider, Secrets: []signature.Secret{{ID: "k1", Value: j.Secret}}})
	require.NoError(t, err)
	return s
}

func (j job) ours(t *testing.T) signature.Code {
	return j.scheme(t).Verify(j.header(), []byte(j.Body), time.Now()).Code
}

var secrets = map[string]string{
	"stripe": "whsec_0123456789abcdef0123456789abcdef", "github": "a secret of example.com, long enough",
	"standard_webhooks": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}

// deliveries are bodies that a careless reader would change before it verifies them.
func deliveries(provider string, at time.Time) []job {
	var jobs []job
	for i, body := range []string{
		`{"id":"evt_1","type":"made"}`, "{ \"id\": \"evt_1\",\r\n\t\"n\": 1.0 }\n", `{"text":"Grüße, 😀, \ud83d\ude00 \/ <>&"}`,
		`{"id":"a","id":"b"}`, `[]`, `{"long":"` + strings.Repeat("0123456789", 3000) + `"}`,
	} {
		jobs = append(jobs, job{Provider: provider, Secret: secrets[provider], ID: "msg_" + strconv.Itoa(i), At: at.Unix(), Body: body})
	}
	return jobs
}

func all(at time.Time) []job {
	var jobs []job
	for provider := range secrets {
		jobs = append(jobs, deliveries(provider, at)...)
	}
	return jobs
}

func TestWhatVendorsSignVerifies(t *testing.T) {
	jobs := all(time.Now())
	for i, a := range ask(t, jobs) {
		jobs[i].Header = a.Header
		assert.Equal(t, signature.CodeOK, jobs[i].ours(t), "%s: %.40s", jobs[i].Provider, jobs[i].Body)
	}
}

// signed are deliveries with our signatures.
func signed(t *testing.T, at time.Time) []job {
	t.Helper()
	jobs := all(at)
	for i, j := range jobs {
		header, err := j.scheme(t).Sign(signature.Outgoing{ID: j.ID, At: at, Body: []byte(j.Body)})
		require.NoError(t, err)
		jobs[i].Header = map[string]string{}
		for name, values := range header {
			jobs[i].Header[name] = values[0]
		}
	}
	return jobs
}

func TestWhatWeSignVerifiesAtVendors(t *testing.T) {
	jobs := signed(t, time.Now())
	for i, a := range ask(t, jobs) {
		assert.True(t, a.Accepted, "%s: %.40s: %s", jobs[i].Provider, jobs[i].Body, a.Why)
	}
}

// What was changed on the way is refused there and here.
func TestTamperingIsRefusedByBoth(t *testing.T) {
	var jobs []job
	for _, j := range signed(t, time.Now()) {
		if len(j.Body) < 1000 {
			jobs = append(jobs, tampered(j)...)
		}
	}
	for _, j := range signed(t, time.Now().Add(-301*time.Second)) {
		if j.Provider != "github" {
			j.what = "too old"
			jobs = append(jobs, j)
		}
	}
	for i, a := range ask(t, jobs) {
		assert.False(t, a.Accepted, "%s accepted: %s", jobs[i].Provider, jobs[i].what)
		assert.NotEqual(t, signature.CodeOK, jobs[i].ours(t), "we accepted of %s: %s", jobs[i].Provider, jobs[i].what)
	}
	assert.Greater(t, len(jobs), 1000)
}

// tampered changes each letter of the body and each letter of id, time and signature, one at a time, and the secret.
func tampered(j job) []job {
	other := j
	other.Secret, other.what = strings.ToUpper(j.Secret[:6])+j.Secret[6:len(j.Secret)-4]+"AAAA", "another secret"
	if j.Provider == "standard_webhooks" {
		other.Secret = j.Secret[:len(j.Secret)-4] + "AAAA"
	}
	longer := j
	longer.Body, longer.what = j.Body+" ", "a longer body"
	jobs := []job{other, longer}
	for i := range len(j.Body) {
		if j.Body[i] < 0x80 { // half a letter is not to be told apart once it is text
			changed := j
			changed.Body, changed.what = swap(j.Body, i), fmt.Sprintf("letter %d of the body", i)
			jobs = append(jobs, changed)
		}
	}
	for name, text := range j.Header {
		for i := range len(text) {
			// GitHub signs the body alone: its delivery id is anybody's to change.
			if name == "X-Github-Delivery" || isName(text, i) {
				continue
			}
			changed := j
			changed.Header = maps.Clone(j.Header)
			changed.Header[name], changed.what = swap(text, i), fmt.Sprintf("letter %d of %s", i, name)
			jobs = append(jobs, changed)
		}
	}
	return jobs
}

// isName is whether a letter of a header belongs to the names in it: t=, v1=, sha256=.
func isName(text string, at int) bool {
	for _, name := range []string{"t=", "v1=", "v1,", "sha256=", ","} {
		for i := max(0, at-len(name)+1); i <= at && i+len(name) <= len(text); i++ {
			if text[i:i+len(name)] == name {
				return true
			}
		}
	}
	return false
}

// swap puts another letter or digit at a place.
func swap(text string, at int) string {
	other := byte('1')
	if text[at] == other {
		other = '2'
	}
	return text[:at] + string(other) + text[at+1:]
}
