package sender

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/ebbgate/ebbgate/internal/door"
	"github.com/ebbgate/ebbgate/internal/signature"
)

// Delivery is what to send, and where.
type Delivery struct {
	URL    string
	Scheme *signature.Scheme
	// ID and Type go into headers where the provider sends them so.
	ID, Type string
	Body     []byte
}

// Answer is what the door said.
type Answer struct {
	Status      int     `json:"status"`
	Receipt     string  `json:"receipt_id,omitempty"`
	Correlation string  `json:"correlation_id,omitempty"`
	Seconds     float64 `json:"seconds"`
}

// Accepted tells whether the delivery need not be sent again.
func (a Answer) Accepted() bool { return a.Status/100 == 2 }

// maxAnswer is how much of an answer's body is read, so that its connection can be used again.
const maxAnswer = 64 << 10

// Post signs the delivery as of now and sends it once. An error means that there is no answer.
func Post(ctx context.Context, client *http.Client, d Delivery) (a Answer, err error) {
	begin := time.Now()
	headers, err := d.Scheme.Sign(signature.Outgoing{ID: d.ID, Type: d.Type, At: begin, Body: d.Body})
	if err != nil {
		return a, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(d.Body))
	if err != nil {
		return a, errors.New("reading the URL: give one such as http://127.0.0.1:8081/stripe")
	}
	for name, values := range headers {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		var failed *url.Error // quotes the URL, which may hold what nobody should see
		if errors.As(err, &failed) {
			err = failed.Err
		}
		return a, fmt.Errorf("reaching the door: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	return Answer{
		Status: resp.StatusCode, Receipt: resp.Header.Get(door.HeaderReceiptID), Correlation: resp.Header.Get(door.HeaderCorrelationID),
		Seconds: time.Since(begin).Seconds(),
	}, nil
}
