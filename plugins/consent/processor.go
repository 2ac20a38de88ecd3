package consent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/state"
)

type processor struct {
	guard   *stage.Guard
	rt      *stage.Runtime
	claims  *consent.Reader
	lookup  state.Lookup
	readers stage.ReaderPool
	stage   string
	judged  *service.MetricCounter
	missing *service.MetricCounter
	begin   func() settle // what this stage does with the verdicts of one batch
	policy  *publisher    // nil with a fixed state, which is for tests
}

// settle carries out one verdict. It belongs to one batch and cannot fail: what is wrong becomes a quarantine record.
type settle func(next *pending, v consent.Verdict)

// pending is a message that was read and waits for the state of its subject.
type pending struct {
	msg     *service.Message
	ix      *event.Index
	claim   consent.Claim
	source  string
	subject *stage.Subject
	first   int // position of the subject's keys in the batch's list
}

func newProcessor(conf *service.ParsedConfig, mgr *service.Resources) (*processor, error) {
	rt, err := stage.NewRuntime(conf, mgr)
	if err != nil {
		return nil, err
	}
	name, err := conf.FieldString(coFieldStage)
	if err != nil {
		return nil, err
	}
	p := &processor{
		guard:   stage.NewGuard(name, rt),
		rt:      rt,
		readers: stage.NewReaderPool(rt.Workspace.Dict, event.DefaultLimits),
		stage:   name,
		judged:  mgr.Metrics().NewCounter("ebbgate_judged_total", "stage", "source", "consent"),
		missing: mgr.Metrics().NewCounter("ebbgate_missing_consent_total", "source"),
	}
	if p.claims, err = consent.NewReader(rt.Workspace.Dict, rt.Workspace.Policy.Purposes()); err != nil {
		return nil, err
	}
	if err := p.chooseStage(name, conf, mgr); err != nil {
		return nil, err
	}
	if err := state.CheckTopics(conf, rt.Workspace.Topics); err != nil {
		return nil, err
	}
	p.lookup, err = state.FromParsed(conf, mgr, rt.Ring)
	return p, err
}

func (p *processor) chooseStage(name string, conf *service.ParsedConfig, mgr *service.Resources) error {
	if name == stageValidate {
		storage, err := newStorage(p.rt, mgr)
		if err != nil {
			return err
		}
		p.begin = func() settle { return storage.settle }
	} else {
		plan, err := p.rt.Workspace.Policy.Bind(p.rt.Workspace.Dict, p.rt.Ring)
		if err != nil {
			return err
		}
		p.begin = func() settle { return judge(plan) }
	}
	if state.Static(conf) {
		return nil
	}
	var err error
	p.policy, err = policyPublisher(conf, mgr, p.rt)
	return err
}

// ProcessBatch reads the claims, waits for the state of all subjects at once, and settles each message. It fails for no
// message and blocks while the state is not current.
func (p *processor) ProcessBatch(ctx context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	reader := p.readers.Get()
	defer p.readers.Put(reader)
	waiting, keys := make([]pending, 0, len(batch)), make([]string, 0, 2*len(batch))
	out := p.guard.Batch(batch, func(msg *service.Message, out service.MessageBatch) (service.MessageBatch, error) {
		next, err := p.read(msg, reader)
		if err != nil {
			return out, err
		}
		next.first = len(keys)
		keys = append(keys, next.subject.Keys...)
		waiting = append(waiting, next)
		return append(out, msg), nil
	})
	if len(waiting) == 0 {
		return []service.MessageBatch{out}, nil
	}
	states, err := p.states(ctx, keys)
	if err != nil {
		for i := range waiting {
			waiting[i].msg.SetError(fmt.Errorf("%w: %w", stage.ErrWait, err))
		}
		return []service.MessageBatch{out}, nil
	}
	now, settle, counts := time.Now().UTC(), p.begin(), standings{}
	defer counts.report(p.stage, p.judged, p.missing)
	for i := range waiting {
		next := &waiting[i]
		p.guard.Settle(next.msg, func() {
			v := consent.Judge(p.rt.Workspace.Policy.Purposes(), next.claim, states[next.first:next.first+len(next.subject.Keys)], now)
			counts[[2]string{next.source, standing(&v)}]++
			settle(next, v)
		})
	}
	return []service.MessageBatch{out}, nil
}

func (p *processor) states(ctx context.Context, keys []string) ([]consent.State, error) {
	if p.policy != nil {
		if err := p.policy.ready(ctx); err != nil {
			return nil, err
		}
	}
	return p.lookup.Read(ctx, keys)
}

func (p *processor) read(msg *service.Message, reader *stage.Reader) (pending, error) {
	ix, err := reader.Read(msg)
	if err != nil {
		return pending{}, err
	}
	claim, fault := p.claims.Read(ix)
	if fault != nil {
		stage.Carry(msg, ix, nil) // the record of its quarantine names the event
		return pending{}, fault
	}
	subject := reader.SubjectOf(msg, ix, p.rt.Ring)
	if len(subject.Keys) == 0 {
		stage.Carry(msg, ix, nil)
		return pending{}, &event.Fault{Code: event.CodeEnvelopeSubject, Path: "subject", Remedy: "send user_id, anonymous_id or account_id"}
	}
	name := sourceOther
	if v, ok := ix.Get(event.ContextSource); ok {
		var scratch [128]byte
		if source, known := p.rt.Workspace.Policy.Source(v.Text(scratch[:0])); known {
			name = source.Name
			claim.LookupOnly = source.LookupOnly
		}
	}
	return pending{msg: msg, ix: ix, claim: claim, source: name, subject: subject}, nil
}

// sourceOther stands for every source the policy does not list, so that events cannot make up metric labels.
const sourceOther = "other"

// judge attaches the judgement that redact carries out.
func judge(plan *policy.Plan) settle {
	worker := plan.Worker()
	destinations := len(plan.Policy().Destinations)
	var room judgements
	return func(next *pending, v consent.Verdict) {
		j := room.next(destinations)
		j.Index, j.Subject, j.Verdict = next.ix, next.subject, v
		for i := range j.Gates {
			j.Gates[i] = worker.Decide(i, next.ix, &j.Verdict)
		}
		stage.SetJudgement(next.msg, j)
	}
}

// judgements are carved from slabs: one allocation for many.
type judgements struct {
	list  []stage.Judgement
	gates []policy.Gate
}

const judgementSlab = 64

func (s *judgements) next(destinations int) *stage.Judgement {
	if len(s.list) == 0 {
		s.list, s.gates = make([]stage.Judgement, judgementSlab), make([]policy.Gate, judgementSlab*destinations)
	}
	j := &s.list[0]
	j.Gates = s.gates[:destinations:destinations]
	s.list, s.gates = s.list[1:], s.gates[destinations:]
	return j
}

// Close gives up the shared views.
func (p *processor) Close(ctx context.Context) error {
	err := p.lookup.Close(ctx)
	if p.policy != nil {
		err = errors.Join(err, p.policy.Close(ctx))
	}
	return err
}
