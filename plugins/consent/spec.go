package consent

import (
	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/state"
)

const (
	coFieldStage = "stage"

	stageValidate = "validate"
	stageGovern   = "govern"
)

func processorSpec() *service.ConfigSpec {
	return service.NewConfigSpec().
		Stable().
		Categories("Utility").
		Version("0.1.0").
		Summary("Joins an event's consent claim with the current consent, suppression and erasure state, and decides which destinations may have it.").
		Description(`
The claim is the event's `+"`consent`"+` object: a boolean per purpose. The state is looked up for every id of the subject. A purpose
holds when the event claims it and no record denies it; a source that the policy declares unable to carry consent
(`+"`consent: lookup`"+`) needs a record that gives it. What nobody stated is denied.

- At `+"`stage: validate`"+` the event's class decides whether it may be stored at all. An event that may not becomes a decision
  record (metadata `+"`topic`"+` names the decisions topic). For sources that cannot carry consent the state is stamped into the
  event as its claim, with source, version and time. What passes may be stored as it is: put mappings before this processor, as
  the `+"`redpanda`"+` output lets nothing else into the topic with role `+"`validated`"+`.
  What an event tells of its subject, as its contract says (`+"`consent: choice`, `suppresses`"+`), becomes a record of the topic with role
  consent or suppression, beside the event.
- At `+"`stage: govern`"+` each event gets a judgement per destination, which `+"`redact`"+` carries out.

Before its first verdict either stage publishes the policy and contracts in force to the policies topic, once per version; a version
that is known there with other content stops the stage.

Unavailable state means wait. The claim's type must be boolean; anything else is quarantined as `+"`consent.type`"+`.

At govern Bloblang sees what the judgement rests on as `+"`@ebbgate.consent_source`"+`, `+"`@ebbgate.consent_version`"+` and
`+"`@ebbgate.consent_checked_at`"+`.`).
		Fields(
			stage.WorkspaceField(),
			stage.ReloadField(),
			service.NewStringEnumField(coFieldStage, stageValidate, stageGovern).
				Description("Which of the two checks this is.").
				Default(stageGovern),
			state.ConfigField(),
		).
		LintRule(state.Rule).
		Example("The govern stage", "Consent is judged against the compacted topics of the broker.", `
pipeline:
  processors:
    - consent:
        stage: govern
        state:
          seed_brokers: [ "127.0.0.1:9092" ]
    - redact: {}
`)
}

// Register adds the processor to the environment.
func Register(env *service.Environment) error {
	return env.RegisterBatchProcessor("consent", processorSpec(), func(conf *service.ParsedConfig, mgr *service.Resources) (service.BatchProcessor, error) {
		return newProcessor(conf, mgr)
	})
}
