package bloblang

import (
	"errors"

	"github.com/redpanda-data/benthos/v4/public/bloblang"

	"github.com/ebbgate/ebbgate/internal/event"
)

const eventIDName = "ebb_event_id"

var (
	errNoSource     = errors.New(eventIDName + ": source must be the name of the source")
	errNoProviderID = errors.New(eventIDName + ": provider_id must be text that is not empty, or a whole number")
)

func eventIDSpec() *bloblang.PluginSpec {
	return bloblang.NewPluginSpec().Category(category).Version("0.1.0").
		Description("Makes an event id from a source and the id its provider gave the event. A repeated delivery gets the same id, and the ids of two sources never meet.").
		Param(bloblang.NewStringParam("source").Description("The source's name, as in `context.source`.")).
		Param(bloblang.NewAnyParam("provider_id").Description("The provider's id of the event: text or a whole number.")).
		Example("", `root.same = ebb_event_id("stripe", this.id) == ebb_event_id("stripe", "evt_1")`, [2]string{`{"id":"evt_1"}`, `{"same":true}`}).
		Example("", `root.form = ebb_event_id("github", this.id).re_match("^evt_[0-9a-v]{26}$")`, [2]string{`{"id":42}`, `{"form":true}`})
}

func newEventID(args *bloblang.ParsedParams) (bloblang.Function, error) {
	source, err := args.GetString("source")
	if err != nil || source == "" {
		return nil, errNoSource
	}
	value, err := args.Get("provider_id")
	if err != nil {
		return nil, errNoProviderID
	}
	provider, ok := value.(string)
	if !ok {
		text, whole, isNumber := numberText(value)
		provider, ok = string(text), whole && isNumber
	}
	if !ok || provider == "" {
		return nil, errNoProviderID
	}
	id := event.DeriveID(source, provider)
	return func() (any, error) { return id, nil }, nil
}
