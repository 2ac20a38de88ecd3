package consent

import (
	"regexp"
	"slices"

	"github.com/ebbgate/ebbgate/internal/event"
)

// Codes of records that are no decision.
const (
	CodeDecisionField = "decision.field" // a field is missing, unknown or holds what no decision says
	CodeDecisionID    = "decision.id"    // the id is not that of what the record says
)

// DecisionFields are the fields of a decision's JSON. Those in optionalFields may be absent.
var DecisionFields = []string{
	"decision_id", "event_id", "event_name", "timestamp", "destination", "verdict", "reason", "rule", "policy", "consent_version", "stage",
}

var optionalFields = []string{"event_name", "timestamp", "reason"} // Append leaves out what is empty

// What the texts of a decision may look like. None has room for an address, a name with spaces or a value of an event.
var (
	decisionName   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	decisionTarget = regexp.MustCompile(`^([a-z][a-z0-9_]{0,63}|\*)$`)
	decisionWords  = regexp.MustCompile(`^[a-z0-9_.=]{0,160}$`)
	decisionRule   = regexp.MustCompile(`^[A-Za-z0-9_./-]{1,255}(:[0-9]{1,9})?$`)
	decisionPolicy = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	decisionStage  = regexp.MustCompile(`^(validate|govern|export)$`)
	decisionEnd    = regexp.MustCompile(`^(` + Allowed + `|` + Denied + `)$`)
)

// DecisionReader reads records of privacy.decisions as strictly as events are read, and takes none for a decision that Append
// would not have written. One goroutine uses it at a time.
type DecisionReader struct {
	dict    *event.Dictionary
	scanner *event.Scanner
	index   event.Index
}

// NewDecisionReader returns a reader that is ready.
func NewDecisionReader() (*DecisionReader, error) {
	dict, err := event.NewDictionary(DecisionFields...)
	if err != nil {
		return nil, err
	}
	return &DecisionReader{dict: dict, scanner: event.NewScanner(dict, event.DefaultLimits)}, nil
}

// Read returns the decision and its id. The error is an *event.Fault and quotes nothing of the record.
func (r *DecisionReader) Read(body []byte) (d Decision, id string, err error) {
	if err := r.scanner.Scan(body, &r.index); err != nil {
		return d, "", err
	}
	texts, fault := r.texts(&d.ConsentVersion)
	if fault != nil {
		return d, "", fault
	}
	d.EventID, d.EventName, d.Timestamp = texts["event_id"], texts["event_name"], texts["timestamp"]
	d.Destination, d.Verdict, d.Reason, d.Rule = texts["destination"], texts["verdict"], texts["reason"], texts["rule"]
	d.Policy, d.Stage = texts["policy"], texts["stage"]
	if id = d.ID(); texts["decision_id"] != id {
		return d, "", &event.Fault{Code: CodeDecisionID, Path: "decision_id", Remedy: "the record was changed, or nothing of ours wrote it: find out what did"}
	}
	return d, id, nil
}

// texts checks that each field is there once, alone, and in its form.
func (r *DecisionReader) texts(version *int64) (map[string]string, *event.Fault) {
	texts := map[string]string{}
	for at := 1; at < len(r.index.Nodes); at = int(r.index.Nodes[at].Next) {
		value := r.index.At(at)
		name := r.dict.Path(value.Field())
		ok := false
		switch {
		case name == "consent_version":
			*version, ok = value.Int64()
			ok = ok && *version >= 0
			texts[name] = ""
		case slices.Contains(DecisionFields, name) && value.Kind() == event.String:
			texts[name] = value.String()
			ok = wellFormed(name, texts[name])
		}
		if !ok {
			return nil, badField(name)
		}
	}
	for _, name := range DecisionFields {
		if _, there := texts[name]; !there && !slices.Contains(optionalFields, name) {
			return nil, badField(name)
		}
	}
	if (texts["reason"] == "") != (texts["verdict"] == Allowed) {
		return nil, badField("reason")
	}
	return texts, nil
}

func wellFormed(name, text string) bool {
	switch name {
	case "event_id":
		return event.ValidID([]byte(text))
	case "event_name":
		return decisionName.MatchString(text)
	case "timestamp":
		_, ok := event.ParseTime([]byte(text))
		return ok
	case "destination":
		return decisionTarget.MatchString(text)
	case "verdict":
		return decisionEnd.MatchString(text)
	case "reason":
		return decisionWords.MatchString(text)
	case "rule":
		return decisionRule.MatchString(text)
	case "policy":
		return decisionPolicy.MatchString(text)
	case "stage":
		return decisionStage.MatchString(text)
	}
	return true // decision_id, which is compared
}

func badField(name string) *event.Fault {
	return &event.Fault{Code: CodeDecisionField, Path: name, Remedy: "only validate, govern and sinks write decisions: find out what else wrote to the topic"}
}
