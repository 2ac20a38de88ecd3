package segment

import "github.com/ebbgate/ebbgate/internal/event"

// slot is a place of a call that the mapping reads.
type slot uint8

// The places. Zero is no place.
const (
	noSlot slot = iota
	sType
	sEvent
	sName
	sCategory
	sUserID
	sAnonymousID
	sPreviousID
	sGroupID
	sMessageID
	sTimestamp
	sOriginalTimestamp
	sSentAt
	sWriteKey
	sProperties
	sTraits
	sContext
	sContextTraits
	sContextGroupID
	sIP
	sUserAgent
	sSchemaVersion
	sPreferences
	sPagePath
	sPageTitle
	sPageURL
	sPageReferrer
	sPageSearch
	sCampaignSource
	sCampaignMedium
	sCampaignName
	sCampaignTerm
	sCampaignContent
	sLocale
	sTimezone
	numSlots
)

var slotPaths = [numSlots]string{
	sType:              "type",
	sEvent:             "event",
	sName:              "name",
	sCategory:          "category",
	sUserID:            "userId",
	sAnonymousID:       "anonymousId",
	sPreviousID:        "previousId",
	sGroupID:           "groupId",
	sMessageID:         "messageId",
	sTimestamp:         "timestamp",
	sOriginalTimestamp: "originalTimestamp",
	sSentAt:            "sentAt",
	sWriteKey:          "writeKey",
	sProperties:        "properties",
	sTraits:            "traits",
	sContext:           "context",
	sContextTraits:     "context.traits",
	sContextGroupID:    "context.groupId",
	sIP:                "context.ip",
	sUserAgent:         "context.userAgent",
	sSchemaVersion:     "context.schema_version",
	sPreferences:       "context.consent.categoryPreferences",
	sPagePath:          "context.page.path",
	sPageTitle:         "context.page.title",
	sPageURL:           "context.page.url",
	sPageReferrer:      "context.page.referrer",
	sPageSearch:        "context.page.search",
	sCampaignSource:    "context.campaign.source",
	sCampaignMedium:    "context.campaign.medium",
	sCampaignName:      "context.campaign.name",
	sCampaignTerm:      "context.campaign.term",
	sCampaignContent:   "context.campaign.content",
	sLocale:            "context.locale",
	sTimezone:          "context.timezone",
}

// resent are the members that a sender changes when it sends an event again, or that are no part of it.
var resent = []string{"sentAt", "receivedAt", "writeKey", "_metadata"}

// lifted are the properties that are filled from elsewhere in the call.
var lifted = []struct {
	property string
	from     slot
}{
	{"path", sPagePath},
	{"title", sPageTitle},
	{"url", sPageURL},
	{"referrer", sPageReferrer},
	{"search", sPageSearch},
	{"utm_source", sCampaignSource},
	{"utm_medium", sCampaignMedium},
	{"utm_campaign", sCampaignName},
	{"utm_term", sCampaignTerm},
	{"utm_content", sCampaignContent},
	{"locale", sLocale},
	{"timezone", sTimezone},
	{"name", sName},
	{"category", sCategory},
}

// slots are the positions on one tape of the values at each place, zero where there is none or null.
type slots [numSlots]uint32

func (s *slots) fill(ix *event.Index, bySlot []slot) {
	*s = slots{}
	for i := range ix.Nodes {
		n := &ix.Nodes[i]
		if place := bySlot[n.Field]; place != noSlot && n.Kind != event.Null {
			s[place] = uint32(i)
		}
	}
}
