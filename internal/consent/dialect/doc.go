// Package dialect reads what a client says of consent, in whichever dialect its consent tool speaks, and says it in the
// workspace's purposes.
//
// It reads the context of an event that a Segment or RudderStack SDK sent:
//
//	consent.categoryPreferences         Segment, Jitsu, analytics.js: category -> true or false
//	consent.destinationPreferences      the old Segment consent manager: destination -> true or false
//	consent.explicit, consent.optOut    MetaRouter: code -> "true" where the user opted out
//	consentManagement                   RudderStack: allowedConsentIds, deniedConsentIds, resolutionStrategy
//	consent.tcString                    IAB TCF v2, named as in TCData
//	consent.gppString                   IAB GPP, named as in PingReturn: TCF and US opt-outs
//	consent.gpc                         Global Privacy Control, which the header Sec-GPC says too
//
// It fails closed. Only a statement that can be read and says yes grants anything; what is missing, unknown or unmapped
// grants nothing; what cannot be read, and what is unclear, counts as a no; and over several dialects one no is a no. That
// differs from the vendors' own tools, which send events without a statement to everybody: Segment's absent object, and
// RudderStack's list of denials without a list of grants, grant nothing here.
//
// US opt-outs only ever take away: that somebody did not object is no consent. A section of a GPP string that this package
// does not know counts as an objection, because it may be one.
//
// The package is pure. It keeps no state between events but the last IAB strings, which events of one batch repeat.
package dialect
