package generate

import (
	"strconv"
	"time"
)

// forms holds how each event is written. The contracts of the shipped workspace are their measure; a test compares.
var forms map[string]form

// The table refers to functions that look things up in it.
func init() {
	forms = map[string]form{
		"page_viewed":            {source: webApp, version: "1.1.0", storage: Analytics, required: "path", bounded: "title", write: pageViewed},
		"signed_up":              {source: backend, version: "1.2.0", storage: Analytics, required: "email", listed: "method", bounded: "company", write: signedUp},
		"trial_started":          {source: backend, version: "1.4.2", storage: Analytics, required: "trial_length_days", listed: "plan", bounded: "utm_campaign", closed: true, write: trialStarted},
		"feature_used":           {source: webApp, version: "1.0.0", storage: Analytics, required: "feature", listed: "outcome", bounded: "feature", write: featureUsed},
		"teammate_invited":       {source: backend, version: "1.0.0", storage: Analytics, required: "role", listed: "role", bounded: "invitee_email", write: teammateInvited},
		"subscription_started":   {source: backend, version: "1.0.0", required: "amount", listed: "interval", bounded: "currency", write: subscriptionStarted},
		"subscription_cancelled": {source: backend, version: "1.0.0", required: "ends_at", listed: "reason", bounded: "comment", write: subscriptionCancelled},
		"invoice_paid":           {source: backend, version: "1.1.0", required: "currency", listed: "payment_method", bounded: "invoice_id", write: invoicePaid},
		"email_sent":             {source: backend, version: "1.0.0", storage: Marketing, required: "campaign_id", bounded: "message_id", write: emailSent},
		"email_opened":           {source: backend, version: "1.0.0", storage: Marketing, required: "message_id", bounded: "client", write: emailOpened},
		"email_clicked":          {source: backend, version: "1.0.0", storage: Marketing, required: "link", bounded: "link", write: emailClicked},
		"campaign_touched":       {source: webApp, version: "1.0.0", storage: Marketing, required: "campaign_id", listed: "channel", bounded: "utm_source", write: campaignTouched},
		"form_submitted":         {source: webApp, version: "1.0.0", storage: Marketing, required: "email", bounded: "company", closed: true, write: formSubmitted},
	}
}

func (d *draft) campaign() string {
	return d.pick("spring-launch", "q4-webinar", "retargeting-eu", "docs-footer", "partner-week")
}

func (d *draft) paidPlan() string { return plans[max(1, d.who.plan)] }

// moment writes a time within some days after now.
func (d *draft) moment(b []byte, name string, days int) []byte {
	at := d.now.Add(time.Duration(d.random.IntN(1+days*86400)) * time.Second)
	return d.text(b, name, at.UTC().Format(time.RFC3339))
}

func pageViewed(d *draft, b []byte) []byte {
	b = d.text(b, "path", d.pick("/", "/pricing", "/docs/start", "/blog/consent", "/app/reports", "/app/settings/team"))
	b = d.text(b, "title", d.pick("Home", "Pricing", "Getting started", "Consent, field by field", "Reports \u2013 overview"))
	b = d.text(b, "referrer", d.pick("", "https://search.example.com/", "https://news.example.com/item/1"))
	if d.chance(0.3) {
		b = d.text(b, "utm_source", d.pick("newsletter", "search", "partner"))
		b = d.text(b, "utm_medium", d.pick("email", "cpc", "referral"))
		b = d.text(b, "utm_campaign", d.campaign())
	}
	b = d.number(b, "duration_ms", 300+d.random.IntN(90_000))
	b = d.number(b, "viewport_width", []int{390, 820, 1280, 1440, 1920, 2560}[d.random.IntN(6)])
	b = d.text(b, "language", d.pick("en-GB", "en-US", "de-DE", "fr-FR"))
	if d.chance(0.4) {
		b = rawMember(b, "experiments", `["pricing-page:b","nav:`+d.pick("a", "b")+`"]`)
	}
	return b
}

func signedUp(d *draft, b []byte) []byte {
	b = d.text(b, "method", d.pick("password", "google", "github", "sso"))
	b = d.text(b, "plan", plans[d.who.plan])
	b = d.text(b, "email", d.email("properties.email"))
	b = d.text(b, "full_name", d.fullName("properties.full_name"))
	b = d.text(b, "company", d.pick("Example Ltd", "Sample GmbH", "Acme Widgets", "Muster & S\u00f6hne"))
	b = d.text(b, "country", d.pick("GB", "US", "DE", "FR", "JP"))
	b = d.text(b, "utm_source", d.pick("", "newsletter", "search"))
	return d.text(b, "utm_campaign", d.campaign())
}

func trialStarted(d *draft, b []byte) []byte {
	b = d.text(b, "plan", d.paidPlan())
	b = d.number(b, "trial_length_days", 14)
	b = d.number(b, "seats", int(d.who.seats))
	b = d.flag(b, "card_on_file", d.chance(0.3))
	return d.text(b, "utm_campaign", d.campaign())
}

func featureUsed(d *draft, b []byte) []byte {
	b = d.text(b, "feature", d.pick("reports.export", "reports.open", "search", "dashboard.share", "import.csv", "api.token"))
	b = d.text(b, "outcome", d.pick("completed", "completed", "completed", "failed", "abandoned"))
	b = d.number(b, "duration_ms", 20+d.random.IntN(20_000))
	if d.chance(0.3) {
		b = d.money(b, "amount", 1+d.random.IntN(400_000))
	}
	if d.canary || d.chance(0.15) {
		b = d.text(b, "search_query", d.query())
	}
	if d.chance(0.1) {
		b = rawMember(b, "settings", `{"theme":"dark","rows":50,"columns":["name","owner"]}`)
	}
	return b
}

func teammateInvited(d *draft, b []byte) []byte {
	b = d.text(b, "role", d.pick("admin", "editor", "viewer"))
	b = d.text(b, "invitee_email", d.email("properties.invitee_email"))
	return d.number(b, "seats_left", d.random.IntN(20))
}

func subscriptionStarted(d *draft, b []byte) []byte {
	interval, months := "month", 1
	if d.who.yearly {
		interval, months = "year", 10
	}
	b = d.text(b, "plan", d.paidPlan())
	b = d.text(b, "interval", interval)
	b = d.number(b, "seats", int(d.who.seats))
	b = d.money(b, "amount", months*int(d.who.seats)*int(d.who.plan)*1900)
	b = d.text(b, "currency", d.pick("EUR", "USD", "GBP"))
	b = d.text(b, "country", d.pick("GB", "US", "DE", "FR", "JP"))
	return d.moment(b, "started_at", 0)
}

func subscriptionCancelled(d *draft, b []byte) []byte {
	b = d.text(b, "plan", d.paidPlan())
	b = d.text(b, "reason", d.pick("price", "missing_feature", "not_used", "competitor", "payment_failed", "other"))
	b = d.text(b, "comment", d.freeText("properties.comment"))
	return d.moment(b, "ends_at", 30)
}

func invoicePaid(d *draft, b []byte) []byte {
	quantity, price := int(d.who.seats), int(d.who.plan)*1900
	b = d.text(b, "invoice_id", "inv_"+strconv.Itoa(d.who.index)+"_"+strconv.Itoa(int(d.who.invoices)))
	b = d.money(b, "amount", quantity*price*119/100)
	b = d.text(b, "currency", "EUR")
	b = d.moment(b, "paid_at", 0)
	b = d.text(b, "billing_email", d.email("properties.billing_email"))
	b = d.text(b, "payment_method", d.pick("card", "transfer", "direct_debit"))
	b = d.text(b, "iban", d.iban("properties.iban"))
	item := append([]byte(nil), `[{"sku":"seat-`+d.paidPlan()+`",`...)
	item = append(item, `"quantity":`+strconv.Itoa(quantity)+`,"amount":`+strconv.Itoa(quantity*price/100)+`}]`...)
	return rawMember(b, "items", string(item))
}

func (d *draft) messageID() string {
	return "msg_" + strconv.FormatUint(spread(uint64(d.who.index)<<8|uint64(d.now.Day())), 36)
}

func emailSent(d *draft, b []byte) []byte {
	b = d.text(b, "message_id", d.messageID())
	b = d.text(b, "campaign_id", d.campaign())
	b = d.text(b, "template", d.pick("welcome", "trial-ends", "monthly-digest"))
	return d.text(b, "email", d.email("properties.email"))
}

func emailOpened(d *draft, b []byte) []byte {
	b = d.text(b, "message_id", d.messageID())
	b = d.text(b, "campaign_id", d.campaign())
	b = d.text(b, "client", d.pick("webmail", "phone", "desktop"))
	return d.flag(b, "machine_open", d.chance(0.4))
}

func emailClicked(d *draft, b []byte) []byte {
	b = d.text(b, "message_id", d.messageID())
	b = d.text(b, "campaign_id", d.campaign())
	return d.text(b, "link", d.pick("start-now", "read-more", "unsubscribe"))
}

func campaignTouched(d *draft, b []byte) []byte {
	b = d.text(b, "campaign_id", d.campaign())
	b = d.text(b, "channel", d.pick("email", "search", "social", "display", "event", "referral"))
	b = d.text(b, "utm_source", d.pick("newsletter", "search", "partner"))
	b = d.text(b, "utm_medium", d.pick("email", "cpc", "referral"))
	b = d.text(b, "utm_campaign", d.campaign())
	b = d.money(b, "cost", d.random.IntN(400))
	b = d.text(b, "currency", "EUR")
	return d.text(b, "click_id", "clk."+strconv.FormatUint(spread(uint64(d.n)+1), 36))
}

func formSubmitted(d *draft, b []byte) []byte {
	b = d.text(b, "form_id", d.pick("demo-request", "contact", "newsletter"))
	b = d.text(b, "email", d.email("properties.email"))
	b = d.text(b, "phone", d.phone("properties.phone"))
	b = d.text(b, "full_name", d.fullName("properties.full_name"))
	b = d.text(b, "company", d.pick("Example Ltd", "Sample GmbH", "Acme Widgets"))
	b = d.number(b, "company_size", 1+d.random.IntN(5000))
	b = d.text(b, "message", d.freeText("properties.message"))
	return d.text(b, "utm_campaign", d.campaign())
}
