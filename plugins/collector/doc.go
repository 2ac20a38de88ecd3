// Package collector is the collector input: the door for Segment's and RudderStack's SDKs.
//
// Guarantee: a batch of events is answered with 200 once each of them is durable, good ones as envelopes for the topic with
// role raw, bad ones as quarantine records, and one bad event costs its neighbours nothing. Whatever is unknown is answered
// with 503, so that the SDK sends it again, and the repeat has the same event ids.
//
// A write key comes from the place its route has for it, and is known by its hash. Cookies are never looked at, and the query
// only for the write key and data of requests that can have neither header nor body.
package collector
