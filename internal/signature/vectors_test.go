package signature

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	standardSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	paddleSecret   = "pdl_ntfset_01hsdn8d43dt7mezr1ef2jtbaw_hKkRiCGyyRhbFwIUuqiTBgI7gnWoV0Gr"
	paddleBody     = `{"data":{"id":"pri_01hsdn96k2hxjzsq5yerecdj9j","name":null,"status":"active","quantity":{"maximum":999999,"minimum":1},` +
		`"tax_mode":"account_setting","product_id":"pro_01hsdn8qp7yydry3x1yeg6a9rv","unit_price":{"amount":"1000","currency_code":"USD"},` +
		`"custom_data":null,"description":"testing","import_meta":null,"trial_period":null,"billing_cycle":{"interval":"month","frequency":1},` +
		`"unit_price_overrides":[]},"event_id":"evt_01hsdn97563968dy0szkmgjwh3","event_type":"price.created",` +
		`"occurred_at":"2024-03-20T10:07:35.590857Z","notification_id":"ntf_01hsdn977e920kbgzt6r6c9rqc"}`
	slackBody = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar" +
		"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands" +
		"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
	smallBody = `{"id":"evt_test_webhook","object":"event"}`
)

// vectors are what providers publish, and two that were computed apart from this package.
var vectors = map[string]struct {
	provider, secret, body string
	at                     int64
	header                 map[string]string
}{
	"Standard Webhooks": {"standard_webhooks", standardSecret, `{"test": 2432232314}`, 1614265330, map[string]string{
		"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
		"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
	}},
	"Svix": {"svix", standardSecret, `{"test": 2432232314}`, 1614265330, map[string]string{
		"svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "svix-timestamp": "1614265330",
		"svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
	}},
	"Stripe": {"stripe", "whsec_test_secret", smallBody, 1492774577, map[string]string{
		"Stripe-Signature": "t=1492774577,v1=88a022085c6bdb887b02cb26ff76dd681234d9675c0f22844059f55552a8883a",
	}},
	"GitHub": {"github", "It's a Secret to Everybody", "Hello, World!", 0, map[string]string{
		"X-Hub-Signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
	}},
	"Shopify": {"shopify", "hush", smallBody, 0, map[string]string{
		"X-Shopify-Hmac-SHA256": "sc09ox6/ccNcTmXNHMwNZCGEwOIRL5Kb2Fuxjo74LiA=",
	}},
	"Shopify, newer header": {"shopify", "hush", smallBody, 0, map[string]string{
		"Shopify-Hmac-Sha256": "sc09ox6/ccNcTmXNHMwNZCGEwOIRL5Kb2Fuxjo74LiA=",
	}},
	"Slack": {"slack", "8f742231b10e8888abcd99yyyzzz85a5", slackBody, 1531420618, map[string]string{
		"X-Slack-Signature":         "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
		"X-Slack-Request-Timestamp": "1531420618",
	}},
	"SendGrid": {
		"sendgrid",
		"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEDr2LjtURuePQzplybdC+u4CwrqDqBaWjcMMsTbhdbcwHBcepxo7yAQGhHPTnlvFYPAZFceEu/1FwCM/QmGUhA==",
		`{"category":"example_payload","event":"test_event","message_id":"message_id"}`, 1588788367,
		map[string]string{
			"X-Twilio-Email-Event-Webhook-Signature": "MEUCIQCtIHJeH93Y+qpYeWrySphQgpNGNr/U+UyUlBkU6n7RAwIgJTz2C+8a8xonZGi6BpSzoQsbVRamr2nlxFDWYNH2j/0=",
			"X-Twilio-Email-Event-Webhook-Timestamp": "1588788367",
		},
	},
	"Paddle": {"paddle", paddleSecret, paddleBody, 1710929255, map[string]string{
		"Paddle-Signature": "ts=1710929255;h1=6c05ef8fa83c44d751be6d259ec955ce5638e2c54095bf128e408e2fce1589c8",
	}},
}

func TestPublishedVectors(t *testing.T) {
	for name, v := range vectors {
		t.Run(name, func(t *testing.T) {
			// One published secret is shorter than any that New takes.
			s, err := build(Config{Provider: v.provider, Secrets: []Secret{{ID: "k1", Value: v.secret}}}, 1)
			require.NoError(t, err)
			header, now := http.Header{}, time.Unix(v.at, 0)
			for name, value := range v.header {
				header.Set(name, value)
			}
			want := Result{Code: CodeOK, KeyID: "k1"}
			if v.at != 0 {
				want.Timestamp = now.UTC()
			}
			assert.Equal(t, want, s.Verify(header, []byte(v.body), now))
			assert.Equal(t, CodeBadSignature, s.Verify(header, []byte(v.body+" "), now).Code)
		})
	}
}
