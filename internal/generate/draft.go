package generate

import (
	"encoding/base32"
	"encoding/binary"
	"strconv"
	"time"
)

const timeForm = "2006-01-02T15:04:05.000Z07:00"

// draft is one event while it is written. A flaw changes the draft before it is written, or the bytes afterwards.
type draft struct {
	*Generator
	n       int
	now     time.Time
	who     *user
	name    string
	canary  bool
	id      string
	subject Subject
	claim   Claim

	// What a flaw may change. rootPrefix and propertyPrefix are raw JSON members with a comma behind.
	eventName      string
	timestamp      string
	version        string
	source         string
	noSubject      bool
	consentRaw     string
	contextRaw     string
	rootPrefix     string
	propertyPrefix string
	twist          twist
	twisted        bool
}

// ids spells event ids as the rest of the product does: 26 characters of lower-case base32hex.
var ids = base32.HexEncoding.WithPadding(base32.NoPadding)

// describe fills in what every event says.
func (d *draft) describe() {
	d.id = d.eventID()
	d.subject = d.who.subject()
	d.claim = d.who.claim(d.now)
	if d.chance(d.opts.MissingConsentShare) {
		d.claim = Claim{Absent: true}
	}
	d.eventName, d.version, d.source = d.name, versionOf(d.name), sourceOf(d.name)
}

// eventID is unique in the stream, differs between seeds, and does not depend on anything drawn before.
func (d *draft) eventID() string {
	var raw [17]byte
	high := spread(d.opts.Seed*0x9e3779b97f4a7c15 + 1)
	binary.BigEndian.PutUint64(raw[:], high^spread(uint64(d.n)+1))
	binary.BigEndian.PutUint64(raw[8:], spread(high+uint64(d.n)))
	text := make([]byte, 4, 32)
	copy(text, "evt_")
	text = ids.AppendEncode(text, raw[:])[:4+26]
	for i := range text {
		if 'A' <= text[i] && text[i] <= 'Z' {
			text[i] |= 0x20
		}
	}
	return string(text)
}

// event describes what was written.
func (d *draft) event(bytes []byte, kind Kind) Event {
	return Event{
		Bytes: bytes, ID: d.id, Name: d.name, Kind: kind, Subject: d.subject, Time: d.now,
		Expect: Expect{Claim: d.claim, Storage: forms[d.name].storage, Withdrawn: d.who.withdrawn()},
	}
}

// envelope writes the whole event.
func (d *draft) envelope(b []byte) []byte {
	b = append(b, '{')
	b = append(b, d.rootPrefix...)
	b = member(b, "event_name", d.eventName)
	b = member(b, "event_id", d.id)
	if d.timestamp == "" {
		b = append(b, `"timestamp":"`...)
		b = d.now.AppendFormat(b, timeForm)
		b = append(b, `",`...)
	} else {
		b = append(b, d.timestamp...)
	}
	b = append(b, `"received_at":"`...)
	b = d.now.Add(time.Duration(5+d.random.IntN(900))*time.Millisecond).AppendFormat(b, timeForm)
	b = append(b, `",`...)
	b = d.subjectObject(b)
	b = d.consentObject(b)
	b = d.contextObject(b)
	b = append(b, `"properties":{`...)
	b = append(b, d.propertyPrefix...)
	b = d.properties(b)
	return append(closed(b), '}')
}

func (d *draft) subjectObject(b []byte) []byte {
	if d.noSubject {
		return append(b, `"subject":{},`...)
	}
	b = append(b, `"subject":{`...)
	b = member(b, "user_id", d.subject.UserID)
	b = member(b, "account_id", d.subject.AccountID)
	b = member(b, "anonymous_id", d.subject.AnonymousID)
	return append(closed(b), ',')
}

func (d *draft) consentObject(b []byte) []byte {
	if d.consentRaw != "" {
		return append(b, d.consentRaw...)
	}
	if d.claim.Absent {
		return b
	}
	b = append(b, `"consent":{"analytics":`...)
	b = strconv.AppendBool(b, d.claim.Analytics == Yes)
	b = append(b, `,"marketing":`...)
	b = strconv.AppendBool(b, d.claim.Marketing == Yes)
	b = append(b, `,"source":"consent_service","checked_at":"`...)
	b = d.now.Truncate(time.Minute).AppendFormat(b, timeForm)
	version := `1`
	if !d.who.withdraws.IsZero() && !d.now.Before(d.who.withdraws) {
		version = `2`
	}
	b = append(b, `","version":"`...)
	b = append(b, version...)
	return append(b, `"},`...)
}

func (d *draft) contextObject(b []byte) []byte {
	if d.contextRaw != "" {
		return append(b, d.contextRaw...)
	}
	b = append(b, `"context":{`...)
	b = member(b, "source", d.source)
	b = member(b, "schema_version", d.version)
	b = append(b, `"correlation_id":"req_`...)
	b = strconv.AppendUint(b, spread(spread(^d.opts.Seed)+uint64(d.n)), 16)
	b = append(b, `",`...)
	if d.source == webApp || d.canary {
		b = member(b, "ip", d.ip())
		b = member(b, "user_agent", d.userAgent())
	}
	return append(closed(b), ',')
}

// member writes one text member with a comma behind; an empty text writes nothing. Texts need no escaping.
func member(b []byte, name, text string) []byte {
	if text == "" {
		return b
	}
	b = append(b, '"')
	b = append(b, name...)
	b = append(b, `":"`...)
	b = append(b, text...)
	return append(b, `",`...)
}

// closed ends an object whose last byte may be a comma.
func closed(b []byte) []byte {
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, '}')
}
