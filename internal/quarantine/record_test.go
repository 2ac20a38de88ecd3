package quarantine

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ebbgate/ebbgate/internal/keys"
)

var (
	at       = time.Date(2026, 4, 13, 10, 0, 0, 120_000_000, time.UTC)
	position = Ref{Topic: "events.raw", Partition: 3, Offset: 881}
)

func TestAppendHasTheDocumentedShape(t *testing.T) {
	rec := New("contract.type", "properties.amount", "validate", position, "evt_1", nil, nil, at)
	assert.Equal(t, `{"event_id":"evt_1","code":"contract.type","path":"properties.amount","stage":"validate","attempts":1,`+
		`"first":"2026-04-13T10:00:00.12Z","last":"2026-04-13T10:00:00.12Z","ref":{"topic":"events.raw","partition":3,"offset":881}}`,
		string(rec.Append(nil)))

	rec.EventName = "invoice_paid"
	assert.Contains(t, string(rec.Append(nil)), `{"event_id":"evt_1","event_name":"invoice_paid","code":"contract.type",`)

	rec = New("contract.type", "", "validate", position, "", []byte("{}"), NewCipher(keys.ForTesting("a")), at)
	assert.Regexp(t, `^\{"code":"contract.type","stage":"validate",.*,"payload":\{"kid":"test0000","alg":"XAES-256-GCM","nonce":"[^"]{32}","ct":"[^"]+"\}\}$`,
		string(rec.Append(nil)))
	assert.Equal(t, "x", string(rec.Append([]byte("x"))[:1]), "Append keeps what dst holds")
}

func TestRoundTrip(t *testing.T) {
	cipher := NewCipher(keys.ForTesting("a"))
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringN(0, 10, 40)
		ref := Ref{Topic: s.Draw(t, "topic"), Partition: rapid.Int32().Draw(t, "partition"), Offset: rapid.Int64().Draw(t, "offset")}
		when := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
		body := []byte(s.Draw(t, "body"))
		rec := New(s.Draw(t, "code"), s.Draw(t, "path"), s.Draw(t, "stage"), ref, s.Draw(t, "id"), body, cipher, when)
		rec.Destination, rec.EventName = s.Draw(t, "destination"), s.Draw(t, "name")
		rec.Attempts = rapid.IntRange(1, 1e6).Draw(t, "attempts")
		rec.Last = rec.First.Add(time.Minute)
		got, err := ParseRecord(rec.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if !assert.ObjectsAreEqual(rec, got) {
			t.Fatalf("%+v became %+v", rec, got)
		}
		plain, err := cipher.Decrypt(got.Payload, got.Ref)
		if err != nil || !bytes.Equal(plain, body) {
			t.Fatalf("decrypting: %v", err)
		}
	})
}

func TestParseRecordAcceptsOnlyWhatAppendWrites(t *testing.T) {
	cipher := NewCipher(keys.ForTesting("a"))
	good := string(New("c", "p", "s", position, "evt_1", []byte("{}"), cipher, at).Append(nil))
	_, err := ParseRecord([]byte(good))
	require.NoError(t, err)
	cases := map[string]string{
		"empty":             "",
		"null":              "null",
		"array":             "[]",
		"other object":      "{}",
		"trailing data":     good + "{}",
		"trailing newline":  good + "\n",
		"spaces":            strings.Replace(good, `"code":`, `"code": `, 1),
		"repeated name":     strings.Replace(good, `"code":"c"`, `"code":"x","code":"c"`, 1),
		"other case":        strings.Replace(good, `"code"`, `"Code"`, 1),
		"unknown name":      strings.Replace(good, `"code"`, `"extra":1,"code"`, 1),
		"clear payload":     strings.Replace(good, `"payload":{`, `"payload":{"email":"alice@example.com",`, 1),
		"payload is text":   good[:strings.Index(good, `"payload"`)] + `"payload":"alice@example.com"}`,
		"payload is null":   good[:strings.Index(good, `"payload"`)] + `"payload":null}`,
		"other algorithm":   strings.Replace(good, algorithm, "none", 1),
		"short nonce":       strings.Replace(good, `"nonce":"`, `"nonce":"AAAA`, 1),
		"wrong type":        strings.Replace(good, `"attempts":1`, `"attempts":"1"`, 1),
		"fraction":          strings.Replace(good, `"attempts":1`, `"attempts":1.5`, 1),
		"time with offset":  strings.Replace(good, `10:00:00.12Z`, `12:00:00.12+02:00`, 1),
		"needless escape":   strings.Replace(good, `"evt_1"`, `"\u0065vt_1"`, 1),
		"invalid utf-8":     strings.Replace(good, `"evt_1"`, "\"evt_\xff\"", 1),
		"partition too big": strings.Replace(good, `"partition":3`, `"partition":4294967299`, 1),
	}
	for name, data := range cases {
		t.Run(name, func(t *testing.T) {
			rec, err := ParseRecord([]byte(data))
			assert.Nil(t, rec)
			require.ErrorIs(t, err, ErrMalformed)
			assert.NotContains(t, err.Error(), "alice")
		})
	}
}

func TestNothingIsWrittenInClear(t *testing.T) {
	const secret = "alice.canary@example.com"
	plaintext := []byte(`{"event_name":"signed_up","properties":{"email":"` + secret + `"}}`)
	cipher := NewCipher(keys.ForTesting("a"))
	huge := append(bytes.Repeat([]byte(" "), MaxPlaintext), plaintext...)
	records := map[string]*Record{
		"encrypted":        New("c", "p", "s", position, "evt_1", plaintext, cipher, at),
		"no cipher":        New("c", "p", "s", position, "evt_1", plaintext, nil, at),
		"too large":        New("c", "p", "s", position, "evt_1", huge, cipher, at),
		"payload in clear": {Code: "c", Payload: plaintext},
		"payload of junk":  {Code: "c", Payload: []byte(secret)},
	}
	for name, rec := range records {
		t.Run(name, func(t *testing.T) {
			out := string(rec.Append(nil))
			require.True(t, json.Valid([]byte(out)))
			for _, form := range []string{secret, "alice", "signed_up", base64.StdEncoding.EncodeToString(plaintext)[:40], hex.EncodeToString([]byte(secret)), url.QueryEscape(secret)} {
				assert.NotContains(t, out, form)
			}
			if name != "encrypted" {
				assert.NotContains(t, out, "payload")
			}
		})
	}
	assert.Nil(t, records["no cipher"].Payload)
	assert.Nil(t, records["too large"].Payload)
	assert.Equal(t, position, records["too large"].Ref, "the ref still leads to the event")
}

func TestLargestEventFitsIntoARecord(t *testing.T) {
	cipher := NewCipher(keys.ForTesting("a"))
	for _, size := range []int{0, 1, 1 << 20, MaxPlaintext} {
		body := bytes.Repeat([]byte("x"), size)
		rec := New("event.too_large", "", "validate", position, strings.Repeat("e", 128), body, cipher, at)
		out := rec.Append(nil)
		assert.Less(t, len(out), 2<<20)
		got, err := ParseRecord(out)
		require.NoError(t, err)
		plain, err := cipher.Decrypt(got.Payload, got.Ref)
		require.NoError(t, err)
		assert.Len(t, plain, size)
	}
	_, err := cipher.Encrypt(make([]byte, MaxPlaintext+1), position)
	assert.ErrorIs(t, err, ErrTooLarge)
}

func FuzzParseRecord(f *testing.F) {
	cipher := NewCipher(keys.ForTesting("a"))
	f.Add(New("c", "p", "s", position, "evt_1", []byte("{}"), cipher, at).Append(nil))
	f.Add(New("c", "", "s", Ref{}, "", nil, nil, time.Time{}).Append(nil))
	f.Add([]byte(`{"code":"\u001f","stage":"","payload":{"kid":""}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := ParseRecord(data)
		if err != nil {
			return
		}
		if out := rec.Append(nil); !bytes.Equal(out, data) {
			t.Fatalf("accepted %q, which is written %q", data, out)
		}
		if plain, err := cipher.Decrypt(rec.Payload, rec.Ref); err == nil && string(plain) != "{}" {
			t.Fatalf("forged payload %q", plain)
		}
	})
}
