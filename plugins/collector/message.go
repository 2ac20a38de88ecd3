package collector

import (
	"encoding/hex"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/segment"
	"github.com/ebbgate/ebbgate/internal/stage"
)

// message is an outcome as the output writes it: an envelope for the raw topic, or a quarantine record.
func (in *input) message(o *segment.Outcome, correlation string) *service.Message {
	id := string(o.EventID)
	if o.Fault != nil {
		msg := in.guard.QuarantineAs(service.NewMessage(o.Raw), id, o.Fault)
		msg.MetaSet(stage.MetaCorrelationID, correlation)
		return msg
	}
	msg := service.NewMessage(o.Envelope)
	subject, key := stage.SubjectKeys(in.ring, o.Subject.UserID, o.Subject.AnonymousID, o.Subject.AccountID)
	stage.Route(msg, in.topic, key)
	msg.MetaSet(stage.MetaEventID, id)
	msg.MetaSet(stage.MetaSubjectKey, subject)
	msg.MetaSet(stage.MetaCorrelationID, correlation)
	msg.MetaSet(stage.MetaContentDigest, hex.EncodeToString(o.Digest[:]))
	return msg
}
