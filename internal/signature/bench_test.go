package signature_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ebbgate/ebbgate/internal/signature"
)

// A body of 2 KB, which is what an invoice of Stripe comes to.
func BenchmarkVerify(b *testing.B) {
	for _, name := range []string{"stripe", "github", "standard_webhooks", "ed25519", "sendgrid"} {
		b.Run(name, func(b *testing.B) {
			s, d := scheme(b, configs(b)[name]), sample(1)
			d.Body = fmt.Appendf(nil, `{"id":"evt_1","type":"invoice.paid","data":%q}`, strings.Repeat("x", 2000))
			header := sign(b, s, d)
			b.ReportAllocs()
			b.SetBytes(int64(len(d.Body)))
			for b.Loop() {
				if !s.Verify(header, d.Body, now).OK() {
					b.Fatal("not accepted")
				}
			}
		})
	}
}

func BenchmarkDescribe(b *testing.B) {
	s := scheme(b, configs(b)["stripe"])
	body := fmt.Appendf(nil, `{"id":"evt_1","type":"invoice.paid","data":%q}`, strings.Repeat("x", 2000))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Describe(nil, body); err != nil {
			b.Fatal(err)
		}
	}
}

func TestVerifyingAllocatesNothing(t *testing.T) {
	s, d := scheme(t, configs(t)["stripe"]), sample(1)
	header := sign(t, s, d)
	allocs := testing.AllocsPerRun(200, func() {
		if s.Verify(header, d.Body, now) == (signature.Result{}) {
			t.Fatal("not judged")
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}
