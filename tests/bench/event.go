package main

import (
	"fmt"
	"strconv"
	"time"
)

// users is how many subjects the events are about, and deniedEvery that every so many-th event lacks consent: 5 %.
const (
	users       = 50_000
	deniedEvery = 20
)

var (
	plans     = [...]string{"free", "starter", "pro", "enterprise"}
	countries = [...]string{"DE", "FR", "US", "GB", "NL", "SE", "ES", "JP", "BR", "CA", "IN", "PL"}
	devices   = [...]string{"desktop", "phone", "tablet"}
	browsers  = [...]string{"Firefox 146", "Chrome 148", "Safari 26", "Edge 148"}
	companies = [...]string{"Example Works", "Müller und Söhne", "東京サンプル", "Analytical Engines", "Société Exemple"}
	searches  = [...]string{`invoices`, `\"billing address\"`, `team\tseats`, `export`, `roles and rights`}
)

// appendEvent appends event i, about 1 KB: 36 values, some escapes, some text beyond ASCII. The same start and number
// always give the same bytes.
func appendEvent(dst []byte, start time.Time, i int) []byte {
	at := start.Add(time.Duration(i) * time.Millisecond)
	user := i * 7919 % users
	h := uint64(i)*0x9e3779b97f4a7c15 + 1
	consent := strconv.FormatBool(i%deniedEvery != deniedEvery-1)
	return fmt.Appendf(dst, `{"event_name":"feature_used","event_id":"evt_%026d","timestamp":"%s","received_at":"%s",`+
		`"subject":{"user_id":"u_%d","account_id":"0b5c7a1e-93d4-4c1f-8a66-%012x"},`+
		`"consent":{"analytics":%s,"source":"banner","version":"7","checked_at":"2026-04-13T09:59:00Z"},`+
		`"context":{"source":"web_app","schema_version":"1.4.2","correlation_id":"req_%016x","ip":"203.0.113.%d","user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0"},`+
		`"properties":{"session_id":"7f1d2c3b-%04x-4e5f-9a0b-%012x","email":"person.%d@example.com","phone":"+1 555 01%02d","plan":"%s","interval":"monthly","country":"%s","language":"en-GB","device":"%s","browser":"%s",`+
		`"path":"/workspaces/%d/reports/weekly","referrer":"https://www.example.org/compare/plans","utm_source":"newsletter","utm_campaign":"autumn-launch-%d","company":"%s","search":"%s",`+
		`"seats":%d,"duration_ms":%d,"amount":%d.%02d,"trial":%t,"paid":%t}}`,
		i, at.Format("2006-01-02T15:04:05.000Z"), at.Add(40*time.Millisecond).Format("2006-01-02T15:04:05.000Z"),
		user, user%1000, consent, h, i%254+1,
		i%65536, h>>16, user, i%100, plans[i%len(plans)], countries[i%len(countries)], devices[i%len(devices)], browsers[i%len(browsers)],
		i%5000, i%12, companies[i%len(companies)], searches[i%len(searches)],
		i%500+1, h%600_000, i%900, i%100, i%3 == 0, i%2 == 0)
}
