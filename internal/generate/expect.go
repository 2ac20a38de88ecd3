package generate

import (
	"maps"
	"slices"
	"time"
)

// Answer is what an event claims for one purpose.
type Answer uint8

const (
	// Missing is no claim.
	Missing Answer = iota
	// No is a claim of false.
	No
	// Yes is a claim of true.
	Yes
)

// Claim is what an event's consent object says. Absent is an event without that object.
type Claim struct {
	Absent    bool
	Analytics Answer
	Marketing Answer
}

// Expect says what should become of an event.
type Expect struct {
	// Code is the code it must be quarantined under; empty for events that are good.
	Code string
	// Flaw names the flaw of a bad event.
	Flaw  string
	Claim Claim
	// Storage is the purpose that must hold to store such an event at all; empty when none must.
	Storage string
	// Withdrawn lists the purposes that the person has withdrawn by the end of the stream. It decides when the
	// person's Statements stand in the state before the event is judged.
	Withdrawn []string
}

// Accepted tells whether the event passes validation.
func (e Expect) Accepted() bool { return e.Code == "" }

// Denied gives the reason why an accepted event may not go to a destination of this purpose, by its own claim alone;
// empty when consent lets it go. The purpose that its class needs for storing comes first.
func (e Expect) Denied(purpose string) string {
	if reason := e.Claim.refuses(e.Storage); reason != "" {
		return reason
	}
	return e.Claim.refuses(purpose)
}

// DeniedNow is Denied with the person's final statements in force as well.
func (e Expect) DeniedNow(purpose string) string {
	for _, needed := range [...]string{e.Storage, purpose} {
		if reason := e.Claim.refuses(needed); reason != "" {
			return reason
		}
		if slices.Contains(e.Withdrawn, needed) {
			return "consent.withdrawn." + needed
		}
	}
	return ""
}

// refuses gives the reason why the claim does not allow a purpose, or nothing.
func (c Claim) refuses(purpose string) string {
	answer := c.Analytics
	switch purpose {
	case "":
		return ""
	case Marketing:
		answer = c.Marketing
	}
	switch {
	case c.Absent:
		return "consent.missing"
	case answer == No:
		return "consent." + purpose + "=false"
	case answer == Missing:
		return "consent." + purpose + "=missing"
	}
	return ""
}

// The purposes that generated events speak of.
const (
	Analytics = "analytics"
	Marketing = "marketing"
)

// Statement is one thing a person said about consent, as the consent service would record it.
type Statement struct {
	Subject   Subject         `json:"subject"`
	Version   int64           `json:"version"`
	Purposes  map[string]bool `json:"purposes"`
	ChangedAt time.Time       `json:"changed_at"`
}

// Statements lists the withdrawals of all people who withdraw, by time. They are known from the start, whatever was
// generated so far, so that a test can put them in force early or late.
func (g *Generator) Statements() []Statement {
	var out []Statement
	for i := range g.users {
		u := &g.users[i]
		if u.withdraws.IsZero() {
			continue
		}
		purposes := map[string]bool{Analytics: u.analytics, Marketing: u.marketing}
		for _, purpose := range u.withdrawn() {
			purposes[purpose] = false
		}
		out = append(out, Statement{
			Subject: Subject{UserID: u.userID()}, Version: 2, Purposes: maps.Clone(purposes), ChangedAt: u.withdraws,
		})
	}
	slices.SortStableFunc(out, func(a, b Statement) int { return a.ChangedAt.Compare(b.ChangedAt) })
	return out
}
