package segment

import "github.com/ebbgate/ebbgate/internal/event"

// Codes of refused events. The first eight are Segment's own reject codes; a code of the scanner, of the envelope or of a
// contract can stand in their place.
const (
	CodeNoID            = "segment.no_user_anon_id"
	CodeEventMissing    = "segment.event_not_defined"
	CodeEventType       = "segment.event_not_string"
	CodePropertiesType  = "segment.properties_not_object"
	CodeTraitsType      = "segment.traits_not_object"
	CodeNameType        = "segment.name_not_string"
	CodeCategoryType    = "segment.category_not_string"
	CodeEmptyBatch      = "segment.empty_batch"
	CodeUnknownType     = "segment.type_unknown"
	CodeIDType          = "segment.id_not_string"
	CodeIDTooLong       = "segment.id_too_long"
	CodeEventName       = "segment.event_too_long"
	CodeNoGroup         = "segment.group_id_not_defined"
	CodeNoPrevious      = "segment.previous_id_not_defined"
	CodeTimestamp       = "segment.timestamp_not_time"
	CodeNoPreferences   = "segment.consent_not_defined"
	CodeEventTooLarge   = "segment.event_too_large"
	CodeBatchTooLarge   = "segment.batch_too_large"
	CodeTooManyEvents   = "segment.too_many_events"
	CodeNoBatch         = "segment.batch_not_array"
	CodePixel           = "segment.pixel_data"
	CodeEventNotAllowed = "segment.event_not_allowed"
	CodeServerOnly      = "contract.from"
)

func fault(code, path, remedy string) *event.Fault {
	return &event.Fault{Code: code, Path: path, Remedy: remedy}
}

// The faults are made once: a flood of bad events allocates nothing here.
var (
	faultNoID            = fault(CodeNoID, "userId", "send a userId or an anonymousId")
	faultEventMissing    = fault(CodeEventMissing, "event", "name the event")
	faultEventType       = fault(CodeEventType, "event", "send the event's name as text")
	faultPropertiesType  = fault(CodePropertiesType, "properties", "send an object")
	faultTraitsType      = fault(CodeTraitsType, "traits", "send an object")
	faultNameType        = fault(CodeNameType, "name", "send text")
	faultCategoryType    = fault(CodeCategoryType, "category", "send text")
	faultUnknownType     = fault(CodeUnknownType, "type", "send identify, track, page, screen, group or alias")
	faultUserIDType      = fault(CodeIDType, "userId", "send text")
	faultAnonymousIDType = fault(CodeIDType, "anonymousId", "send text")
	faultGroupIDType     = fault(CodeIDType, "groupId", "send text")
	faultPreviousIDType  = fault(CodeIDType, "previousId", "send text")
	faultMessageIDType   = fault(CodeIDType, "messageId", "send text")
	faultIDTooLong       = fault(CodeIDTooLong, "userId", "send ids of at most 512 bytes")
	faultEventName       = fault(CodeEventName, "event", "send a name of at most 128 bytes")
	faultNoGroup         = fault(CodeNoGroup, "groupId", "send the group's id")
	faultNoPrevious      = fault(CodeNoPrevious, "previousId", "send previousId and userId")
	faultTimestamp       = fault(CodeTimestamp, "timestamp", "send an RFC 3339 time with seconds and offset, as text")
	faultFuture          = fault(event.CodeEnvelopeFuture, "timestamp", "correct the sender's clock")
	faultAncient         = fault(event.CodeEnvelopeAncient, "timestamp", "load history through a replay with its own limits")
	faultNoPreferences   = fault(CodeNoPreferences, "context.consent.categoryPreferences", "send the preferences the user has chosen")
	faultEventTooLarge   = fault(CodeEventTooLarge, "", "send a smaller event")
	faultNotAllowed      = fault(CodeEventNotAllowed, "event", "add the event to the source's events, or stop sending it")
	faultServerOnly      = fault(CodeServerOnly, "event", "send the event from a server, its contract says from: server")
)

// Faults of a whole body.
var (
	faultEmptyBatch    = fault(CodeEmptyBatch, "batch", "send at least one event")
	faultNoBatch       = fault(CodeNoBatch, "batch", "send a list of events under the plain name batch")
	faultBatchTooLarge = fault(CodeBatchTooLarge, "", "send fewer events at once")
	faultTooManyEvents = fault(CodeTooManyEvents, "batch", "send fewer events at once")
	faultPixel         = fault(CodePixel, "data", "send one JSON object in base64")
	faultSyntax        = fault(event.CodeSyntax, "", "send one JSON object that follows RFC 8259")
)
