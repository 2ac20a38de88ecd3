// Package segment is the tracking API of Segment and RudderStack SDKs as a function: a route, the bytes of a body and what
// is known of their source go in, and one Outcome per event comes out, in order. It has no server and no clock.
//
//	mapper, err := segment.NewMapper(segment.Config{Contracts: set, Consent: rules})
//	reader := mapper.NewReader() // one goroutine at a time: pool them
//
//	route, ok := segment.ParseRoute(method, path)
//	fault := reader.Open(route, body) // not nil: the whole body is refused, answer 400
//	key := reader.WriteKey()          // what the body says, where no header does
//	outcomes = reader.Map(&source, &request, outcomes[:0])
//	settings := segment.AppendSettings(nil, route.WriteKey, "https", "events.example.com/v1")
//
// Guarantee: an envelope that comes out passes the strict scanner and event.CheckEnvelope. It is written anew from names
// listed here, so a write key, integrations, device data or the traits of context.traits never pass by accident. An event
// that breaks a rule becomes an Outcome with a Fault, whose code is Segment's own reject code behind `segment.`, and costs
// its neighbours nothing. Only a body whose events cannot be told apart, or that breaks a limit on batches, is refused whole.
//
// # What becomes of an event
//
//	event_name            event in lower case, words joined by _: "Trial Started" and "trialStarted" are trial_started;
//	                      page is page_viewed, screen is screen_viewed, identify, group and alias keep their type
//	event_id              messageId; a hash of it where it holds other characters than an id may; without one, a hash of the
//	                      event without sentAt, receivedAt, writeKey and _metadata, so that a retry gets it again
//	timestamp             receivedAt - (sentAt - timestamp), where the sender says both; originalTimestamp goes before
//	                      timestamp; without either it is received_at
//	subject               userId, anonymousId, groupId (or context.groupId); whole numbers are taken as text
//	consent               what context says in any dialect of package dialect, and Sec-GPC of a browser
//	context.ip            context.ip, else a browser's address, as far as the source's IPPolicy lets it
//	context.user_agent    context.userAgent, else a browser's header
//	context.schema_version, context.correlation_id
//	properties            properties; of identify and group: traits, or RudderStack's context.traits; of alias: previous_id.
//	                      Page, campaign, locale, timezone, name and category are put in where the event's contract declares
//	                      a property for them and the event has none: path, title, url, referrer, search, utm_source,
//	                      utm_medium, utm_campaign, utm_term, utm_content, locale, timezone, name, category
//
// A batch's own context stands in for what an event's context lacks; a refusal of consent in either holds. `integrations` is
// no consent and is not kept: where data goes is for the policy to say.
//
// From a browser, a property that the contract marks `from: server` is removed and counted, and an event whose contract says
// `from: server` is refused with contract.from.
//
// Beside its envelope, an identify, group or alias gives a Link, which belongs into identity.links, and the reserved event
// `Segment Consent Preference Updated` gives a Consent record, which belongs into privacy.consent.
package segment
