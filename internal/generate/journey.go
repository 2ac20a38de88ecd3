package generate

import (
	"strconv"
	"time"
)

// stage is where a person stands.
type stage uint8

const (
	visitor stage = iota
	arrived       // has signed up; the trial starts next
	trial
	customer
	lapsed
	stages
)

// user is one made-up person.
type user struct {
	index     int
	stage     stage
	known     bool // has signed up once
	mail      uint8
	plan      uint8
	seats     uint8
	yearly    bool
	analytics bool
	marketing bool
	both      bool // withdraws analytics too
	invoices  uint16
	withdraws time.Time
}

var plans = [...]string{"free", "starter", "pro", "enterprise"}

func newUser(g *Generator, index int) user {
	u := user{
		index:     index,
		plan:      uint8(1 + g.random.IntN(3)),
		seats:     uint8(1 + g.random.IntN(40)),
		yearly:    g.chance(0.4),
		analytics: g.chance(0.95),
		marketing: g.chance(0.7),
		both:      g.chance(0.5),
	}
	// Most people of a stream began before it did.
	if at := g.random.Float64(); at > 0.35 {
		u.known, u.stage = true, trial
		if at > 0.55 {
			u.stage = customer
		}
	}
	if g.chance(g.opts.WithdrawnShare) {
		u.withdraws = g.opts.Start.Add(time.Duration(g.random.Float64() * float64(g.opts.Span))).Truncate(time.Millisecond)
	}
	return u
}

func (u *user) userID() string    { return "u_" + strconv.Itoa(100_000+u.index) }
func (u *user) accountID() string { return "a_" + strconv.Itoa(5_000+u.index/4) }
func (u *user) anonymousID() string {
	return "anon-" + strconv.FormatUint(spread(uint64(u.index)+1), 16)
}

// subject is who the person is known to be now.
func (u *user) subject() Subject {
	if !u.known {
		return Subject{AnonymousID: u.anonymousID()}
	}
	return Subject{UserID: u.userID(), AccountID: u.accountID(), AnonymousID: u.anonymousID()}
}

// withdrawn lists the purposes the person withdraws at some time.
func (u *user) withdrawn() []string {
	if u.withdraws.IsZero() {
		return nil
	}
	if u.both {
		return []string{Analytics, Marketing}
	}
	return []string{Marketing}
}

// claim is what the person's browser or account says of consent at a time.
func (u *user) claim(now time.Time) Claim {
	c := Claim{Analytics: answer(u.analytics), Marketing: answer(u.marketing)}
	if !u.withdraws.IsZero() && !now.Before(u.withdraws) {
		c.Marketing = No
		if u.both {
			c.Analytics = No
		}
	}
	return c
}

func answer(held bool) Answer {
	if held {
		return Yes
	}
	return No
}

// way is one thing that people of a stage do, how often, and where it leads.
type way struct {
	event  string
	weight int
	to     stage
}

var ways = [stages][]way{
	visitor: {
		{"page_viewed", 66, visitor}, {"campaign_touched", 14, visitor}, {"form_submitted", 9, visitor}, {"signed_up", 11, arrived},
	},
	arrived: {{"trial_started", 100, trial}},
	trial: {
		{"page_viewed", 24, trial},
		{"feature_used", 44, trial},
		{"teammate_invited", 8, trial},
		{"email", 14, trial},
		{"form_submitted", 3, trial},
		{"subscription_started", 7, customer},
	},
	customer: {
		{"feature_used", 54, customer},
		{"page_viewed", 18, customer},
		{"invoice_paid", 8, customer},
		{"teammate_invited", 5, customer},
		{"email", 11, customer},
		{"form_submitted", 2, customer},
		{"subscription_cancelled", 2, lapsed},
	},
	lapsed: {
		{"page_viewed", 40, lapsed}, {"email", 35, lapsed}, {"campaign_touched", 15, lapsed}, {"subscription_started", 10, customer},
	},
}

// act chooses what the person does next, moves them on, and returns the event's name.
func (u *user) act(g *Generator) string {
	at := g.random.IntN(100)
	for _, w := range ways[u.stage] {
		if at -= w.weight; at >= 0 {
			continue
		}
		u.stage = w.to
		u.known = u.known || w.to == arrived
		switch w.event {
		case "email":
			return u.email(g)
		case "invoice_paid":
			u.invoices++
		}
		return w.event
	}
	return "page_viewed"
}

// email goes through sent, opened and clicked; not every mail is opened, and fewer lead to a click.
func (u *user) email(g *Generator) string {
	switch {
	case u.mail == 1 && g.chance(0.6):
		u.mail = 2
		return "email_opened"
	case u.mail == 2 && g.chance(0.4):
		u.mail = 0
		return "email_clicked"
	}
	u.mail = 1
	return "email_sent"
}

// spread makes a number look random; it is the finalizer of SplitMix64, one to one.
func spread(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
