package consent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/ebbgate/ebbgate/internal/consent"
	"github.com/ebbgate/ebbgate/internal/contract"
	"github.com/ebbgate/ebbgate/internal/event"
	"github.com/ebbgate/ebbgate/internal/policy"
	"github.com/ebbgate/ebbgate/internal/stage"
	"github.com/ebbgate/ebbgate/internal/state"
)

type processor struct {
	guard   *stage.Guard
	rt      *stage.Runtime
	lookup  state.Lookup
	rules   *stage.Part[*ruling]
	stage   string
	judged  *service.MetricCounter
	missing *service.MetricCounter
	policy  *publisher // nil with a fixed state, which is for tests
	links   *linking   // nil at govern
	changes *changes   // nil at govern
}

// ruling is what the processor makes of one generation of policy and contracts.
type ruling struct {
	*stage.Rules
	claims  *consent.Reader
	readers stage.ReaderPool
	begin   func(*stage.Reader) settle // what this stage does with the verdicts of one batch
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
	linked  []string // what the event says is one person, where it says that
	first   int      // position of its keys in the batch's list
	keys    int      // how many they are

	// At validate alone.
	agreed     *contract.Contract
	suppresses *contract.Suppression // what the event tells of its subject, if it does
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
		stage:   name,
		judged:  mgr.Metrics().NewCounter("ebbgate_judged_total", "stage", "source", "consent"),
		missing: mgr.Metrics().NewCounter("ebbgate_missing_consent_total", "stage", "source"),
	}
	if err := state.CheckTopics(conf, rt.Topics); err != nil {
		return nil, err
	}
	if p.lookup, err = state.FromParsed(conf, mgr, rt.Ring); err != nil {
		return nil, err
	}
	if err := p.follow(conf, mgr); err != nil {
		return nil, errors.Join(err, p.Close(context.Background()))
	}
	return p, nil
}

// follow has the processor judge by the rules in force, of which one that follows is published before anything is judged
// by it.
func (p *processor) follow(conf *service.ParsedConfig, mgr *service.Resources) (err error) {
	if !state.Static(conf) {
		if p.policy, err = policyPublisher(conf, mgr, p.rt); err != nil {
			return err
		}
	}
	begin, err := p.beginning(conf, mgr)
	if err != nil {
		return err
	}
	p.rules, err = stage.NewPart(p.rt, func(r *stage.Rules) (*ruling, error) {
		made := &ruling{Rules: r, readers: r.NewReaderPool()}
		var err error
		if made.claims, err = consent.NewReader(r.Dict, r.Policy.Purposes()); err != nil {
			return nil, err
		}
		made.begin, err = begin(r)
		return made, err
	}, p.announce)
	return err
}

func (p *processor) announce(ctx context.Context, next *stage.Rules) error {
	if p.policy == nil {
		return nil
	}
	if err := p.policy.publish(ctx, next); err != nil {
		return fmt.Errorf("%s:%d: version: %w", next.Policy.File, next.Policy.VersionLine, err)
	}
	return nil
}

// beginning makes, for a generation of rules, what the stage does with a batch.
func (p *processor) beginning(conf *service.ParsedConfig, mgr *service.Resources) (func(*stage.Rules) (func(*stage.Reader) settle, error), error) {
	if p.stage == stageValidate {
		storage, err := newStorage(p.rt, mgr)
		if err != nil {
			return nil, err
		}
		if p.links, err = newLinking(p.rt, p.lookup, mgr); err != nil {
			return nil, err
		}
		if p.changes, err = newChanges(conf, p.rt, p.lookup, mgr); err != nil {
			return nil, err
		}
		return func(r *stage.Rules) (func(*stage.Reader) settle, error) {
			return func(reader *stage.Reader) settle { return (&storing{storage, r, reader}).settle }, nil
		}, nil
	}
	return func(r *stage.Rules) (func(*stage.Reader) settle, error) {
		plan, err := r.Policy.Bind(r.Dict, p.rt.Ring)
		return func(*stage.Reader) settle { return judge(r, plan) }, err
	}, nil
}

// ProcessBatch reads the claims, waits for the state of all subjects at once, and settles each message. It fails for no
// message and blocks while the state is not current.
func (p *processor) ProcessBatch(ctx context.Context, batch service.MessageBatch) ([]service.MessageBatch, error) {
	batch, packing := stage.Unpack(batch)
	_, r := p.rules.ForBatch(batch)
	reader := r.readers.Get()
	defer r.readers.Put(reader)
	waiting, keys := make([]pending, 0, len(batch)), make([]string, 0, 2*len(batch))
	out := p.guard.Batch(batch, func(msg *service.Message, out service.MessageBatch) (service.MessageBatch, error) {
		next, err := p.read(msg, r, reader)
		if err != nil {
			return out, err
		}
		next.first = len(keys)
		keys = append(append(keys, next.subject.Keys...), next.linked...)
		next.keys = len(keys) - next.first
		waiting = append(waiting, next)
		return append(out, msg), nil
	})
	if len(waiting) == 0 {
		return packing.Batches(out), nil
	}
	states, told, err := p.states(ctx, r, keys, waiting)
	if err != nil {
		for i := range waiting {
			waiting[i].msg.SetError(fmt.Errorf("%w: %w", stage.ErrWait, err))
		}
		return packing.Batches(out), nil
	}
	now, settle, counts := time.Now().UTC(), r.begin(reader), standings{}
	defer counts.report(p.stage, p.judged, p.missing)
	for i := range waiting {
		next := &waiting[i]
		p.guard.Settle(next.msg, func() {
			v := consent.Judge(r.Policy.Purposes(), next.claim, states[next.first:next.first+next.keys], now)
			counts.add(next.source, standing(&v, next.claim.LookupOnly))
			if v.Unresolved {
				p.guard.Quarantine(next.msg, errUnresolved)
				return
			}
			settle(next, v)
		})
	}
	return packing.Batches(append(out, told...)), nil
}

// errUnresolved is the fault of an event whose subject more identifiers are linked to than one person can have.
var errUnresolved = &event.Fault{
	Code: "identity.unresolved", Path: "subject",
	Remedy: "find with ebbgate identity show what was linked wrongly, take it back with ebbgate identity unlink, then replay the event",
}

// states waits for what is known of the keys, and makes the records of what the events tell that is not.
func (p *processor) states(ctx context.Context, r *ruling, keys []string, waiting []pending) (states []consent.State, told service.MessageBatch, err error) {
	if p.policy != nil {
		if err := p.policy.ready(ctx, r.Rules); err != nil {
			return nil, nil, err
		}
	}
	if states, err = p.lookup.Read(ctx, keys); err != nil || p.links == nil {
		return states, nil, err
	}
	links, err := p.links.records(ctx, waiting, states)
	if err != nil {
		return nil, nil, err
	}
	told, err = p.changes.records(ctx, r.Rules, waiting)
	return states, append(links, told...), err
}

func (p *processor) read(msg *service.Message, r *ruling, reader *stage.Reader) (pending, error) {
	if p.rules.Strays(msg, r.Rules) {
		return pending{}, stage.ErrStray
	}
	ix, err := reader.Read(msg)
	if err != nil {
		return pending{}, err
	}
	claim, fault := r.claims.Read(ix)
	if fault != nil {
		reader.Carry(msg, ix, nil) // the record of its quarantine names the event
		return pending{}, fault
	}
	subject := reader.SubjectOf(msg, ix, p.rt.Ring)
	if len(subject.Keys) == 0 {
		reader.Carry(msg, ix, nil)
		return pending{}, &event.Fault{Code: event.CodeEnvelopeSubject, Path: "subject", Remedy: "send user_id, anonymous_id or account_id"}
	}
	name := sourceOther
	if v, ok := ix.Get(event.ContextSource); ok {
		var scratch [128]byte
		if source, known := r.Policy.Source(v.Text(scratch[:0])); known {
			name = source.Name
			claim.LookupOnly = source.LookupOnly
		}
	}
	next := pending{msg: msg, ix: ix, claim: claim, source: name, subject: subject}
	if p.links == nil {
		return next, nil
	}
	next.linked = p.links.linked(ix)
	if next.agreed, fault = r.Contracts.For(ix); fault != nil {
		reader.Carry(msg, ix, subject)
		return pending{}, fault
	}
	next.suppresses = next.agreed.Suppresses(ix)
	return next, nil
}

// sourceOther stands for every source the policy does not list, so that events cannot make up metric labels.
const sourceOther = "other"

// judge attaches the judgement that redact carries out.
func judge(r *stage.Rules, plan *policy.Plan) settle {
	worker := plan.Worker()
	destinations := len(plan.Policy().Destinations)
	var room judgements
	return func(next *pending, v consent.Verdict) {
		j := room.next(destinations)
		j.Rules, j.Index, j.Subject, j.Verdict = r, next.ix, next.subject, v
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

// Close lets go of the workspace and gives up the shared views.
func (p *processor) Close(ctx context.Context) error {
	if p.rules != nil {
		p.rules.Close()
	}
	err := p.lookup.Close(ctx)
	if p.policy != nil {
		err = errors.Join(err, p.policy.Close(ctx))
	}
	return err
}
