package docs

import (
	"slices"
	"strings"
	"time"
)

func pageViews(l *ledger) []string { return []string{line(len(l.kept("page_viewed")))} }

func byKindAndDay(l *ledger) []string {
	type kind struct{ day, name string }
	last, n, users := l.events[len(l.events)-1].Time, counts[kind]{}, map[kind]map[string]bool{}
	for _, f := range l.kept() {
		if f.Time.Before(last.Add(-7 * 24 * time.Hour)) {
			continue
		}
		k := kind{day(f.Time), f.Name}
		if users[k] == nil {
			users[k] = map[string]bool{}
		}
		n[k]++
		users[k][f.Subject.UserID] = true
	}
	return n.lines(func(k kind, n int) string { return line(k.day, k.name, n, len(users[k])) })
}

// reached are the users who signed up: when, and how many steps they came within 30 days of it.
func (l *ledger) reached() (signedUp map[string]time.Time, steps map[string]int) {
	order := []string{"signed_up", "trial_started", "subscription_started"}
	signedUp, steps = map[string]time.Time{}, map[string]int{}
	for _, f := range l.kept(order...) {
		user := f.Subject.UserID
		at := steps[user]
		switch {
		case user == "" || at == len(order) || order[at] != f.Name:
		case at == 0:
			signedUp[user], steps[user] = f.Time, 1
		case f.Time.Truncate(time.Second).Sub(signedUp[user].Truncate(time.Second)) <= 30*24*time.Hour:
			steps[user]++
		}
	}
	return signedUp, steps
}

func funnel(l *ledger) []string {
	var n [4]int
	_, steps := l.reached()
	for _, reached := range steps {
		for step := range reached {
			n[step+1]++
		}
	}
	return []string{line(n[1], n[2], n[3], percent(n[3], n[1]))}
}

func funnelByWeek(l *ledger) []string {
	n, weeks := map[string]*[4]int{}, []string{}
	signedUp, steps := l.reached()
	for user, reached := range steps {
		week := day(monday(signedUp[user]))
		if n[week] == nil {
			n[week] = &[4]int{}
			weeks = append(weeks, week)
		}
		for step := range reached {
			n[week][step+1]++
		}
	}
	for i, week := range weeks {
		weeks[i] = line(week, n[week][1], n[week][2], n[week][3])
	}
	return weeks
}

func hoursToTrial(l *ledger) (out []string) {
	accounts, minutes := map[string]time.Time{}, map[string][]int{}
	for _, f := range l.kept("signed_up", "trial_started") {
		began, known := accounts[f.Subject.UserID]
		if f.Name == "signed_up" {
			accounts[f.Subject.UserID] = f.Time
		} else if known {
			took := f.Time.Truncate(time.Minute).Sub(began.Truncate(time.Minute))
			minutes[f.said.Properties.Plan] = append(minutes[f.said.Properties.Plan], int(took.Minutes()))
		}
	}
	for plan, took := range minutes {
		out = append(out, line(plan, len(took), tenths(float64(quantile(took, 0.5))/60)))
	}
	return out
}

// quantile is the value that as many are below as its level says, never one in between.
func quantile(values []int, level float64) int {
	slices.Sort(values)
	return values[int(level*float64(len(values)))]
}

func retention(l *ledger) []string {
	type week struct {
		cohort string
		since  int
	}
	first, seen, n := map[string]time.Time{}, map[string]bool{}, counts[week]{}
	for _, f := range l.kept() {
		user, now := f.Subject.UserID, monday(f.Time)
		if user == "" {
			continue
		}
		if first[user].IsZero() {
			first[user] = now
		}
		if key := user + now.String(); !seen[key] {
			seen[key] = true
			n[week{day(first[user]), int(now.Sub(first[user]).Hours()) / (7 * 24)}]++
		}
	}
	return n.lines(func(w week, n int) string { return line(w.cohort, w.since, n) })
}

func touches(l *ledger) []string {
	type pair struct{ first, last string }
	touched, n := map[string]pair{}, counts[pair]{}
	for _, f := range l.kept("campaign_touched", "page_viewed", "signed_up") {
		visitor, campaign := f.Subject.AnonymousID, f.said.Properties.UTMCampaign
		p, known := touched[visitor]
		switch {
		case f.Name == "signed_up" && known:
			n[p]++
		case f.Name == "signed_up" || !f.campaign || campaign == nil:
		case known:
			touched[visitor] = pair{p.first, *campaign}
		default:
			touched[visitor] = pair{*campaign, *campaign}
		}
	}
	return n.lines(func(p pair, n int) string { return line(p.first, p.last, n) })
}

func campaignsKnown(l *ledger) []string {
	known, all := 0, l.kept("signed_up")
	for _, f := range all {
		if f.campaign && f.said.Properties.UTMCampaign != nil {
			known++
		}
	}
	return []string{line(known, len(all), percent(known, len(all)))}
}

func experiments(l *ledger) []string {
	saw, visitors, after := map[string]map[string]bool{}, counts[string]{}, counts[string]{}
	for _, f := range l.kept("page_viewed", "signed_up") {
		visitor := f.Subject.AnonymousID
		if f.Name == "signed_up" {
			for experiment := range saw[visitor] {
				after[experiment]++
			}
			continue
		}
		for _, experiment := range f.said.Properties.Experiments {
			if saw[visitor] == nil {
				saw[visitor] = map[string]bool{}
			}
			if !saw[visitor][experiment] {
				saw[visitor][experiment] = true
				visitors[experiment]++
			}
		}
	}
	return visitors.lines(func(experiment string, n int) string {
		name, variant, _ := strings.Cut(experiment, ":")
		return line(name, variant, n, after[experiment], percent(after[experiment], n))
	})
}

func revenue(l *ledger) []string {
	type sale struct{ month, sku string }
	seats, amount := counts[sale]{}, map[sale]float64{}
	for _, f := range l.kept("invoice_paid") {
		for _, item := range f.said.Properties.Items {
			s := sale{f.said.Properties.PaidAt.UTC().Format("2006-01") + "-01", item.SKU}
			seats[s] += item.Quantity
			amount[s] += item.Amount
		}
	}
	return seats.lines(func(s sale, n int) string { return line(s.month, s.sku, n, amount[s]) })
}
