package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ebbgate/ebbgate/internal/topics"
)

// GroupPrefix begins the names of all consumer groups that principals named in topics.yaml may use.
const GroupPrefix = "ebbgate"

// grant is one permission.
type grant struct {
	principal string
	kind      kmsg.ACLResourceType
	name      string
	pattern   kadm.ACLPattern
	operation kadm.ACLOperation
}

func (g grant) String() string {
	return fmt.Sprintf("%s %s %s %s", g.principal, g.operation, g.kind, g.name)
}

// clusterName is what the broker calls itself in permissions.
const clusterName = "kafka-cluster"

// grants lists what the principals of topics.yaml need, each once, in the order of the file: readers READ and DESCRIBE
// the topic and READ the groups; writers WRITE and DESCRIBE it, and write idempotently.
func grants(set *topics.Set) []grant {
	var out []grant
	seen := map[grant]bool{}
	add := func(g grant) {
		if !seen[g] {
			seen[g] = true
			out = append(out, g)
		}
	}
	for _, t := range set.All() {
		for _, p := range t.Read {
			add(grant{p, kmsg.ACLResourceTypeTopic, t.Name, kadm.ACLPatternLiteral, kadm.OpRead})
			add(grant{p, kmsg.ACLResourceTypeTopic, t.Name, kadm.ACLPatternLiteral, kadm.OpDescribe})
			add(grant{p, kmsg.ACLResourceTypeGroup, GroupPrefix, kadm.ACLPatternPrefixed, kadm.OpRead})
		}
		for _, p := range t.Write {
			add(grant{p, kmsg.ACLResourceTypeTopic, t.Name, kadm.ACLPatternLiteral, kadm.OpWrite})
			add(grant{p, kmsg.ACLResourceTypeTopic, t.Name, kadm.ACLPatternLiteral, kadm.OpDescribe})
			add(grant{p, kmsg.ACLResourceTypeCluster, clusterName, kadm.ACLPatternLiteral, kadm.OpIdempotentWrite})
		}
	}
	return out
}

// ApplyACLs grants the principals of topics.yaml what they need and lack. It takes nothing away: permissions that the
// file does not name stay, and it is for the operator to revoke them.
func ApplyACLs(ctx context.Context, adm *kadm.Client, set *topics.Set) ([]Change, error) {
	all := kadm.NewACLs().AnyResource().Allow().AllowHosts().Operations(kadm.OpAny).ResourcePatternType(kadm.ACLPatternAny)
	results, err := adm.DescribeACLs(ctx, all)
	if err != nil {
		return nil, fmt.Errorf("reading ACLs: %w", err)
	}
	have := map[grant]bool{}
	for _, r := range results {
		if r.Err != nil {
			return nil, fmt.Errorf("reading ACLs: %w%s", r.Err, said(r.ErrMessage))
		}
		for _, d := range r.Described {
			if d.Host == "*" && d.Permission == kmsg.ACLPermissionTypeAllow {
				have[grant{d.Principal, d.Type, d.Name, d.Pattern, d.Operation}] = true
			}
		}
	}
	var changes []Change
	for _, g := range grants(set) {
		if have[g] {
			continue
		}
		if err := createACL(ctx, adm, g); err != nil {
			return changes, err
		}
		change := Change{What: "acl", To: g.String()}
		if g.kind == kmsg.ACLResourceTypeTopic {
			change.Topic = g.name
		}
		changes = append(changes, change)
	}
	return changes, nil
}

func createACL(ctx context.Context, adm *kadm.Client, g grant) error {
	b := kadm.NewACLs().Allow(g.principal).AllowHosts("*").Operations(g.operation).ResourcePatternType(g.pattern)
	switch g.kind {
	case kmsg.ACLResourceTypeTopic:
		b.Topics(g.name)
	case kmsg.ACLResourceTypeGroup:
		b.Groups(g.name)
	default:
		b.Clusters()
	}
	results, err := adm.CreateACLs(ctx, b)
	for _, r := range results {
		if err == nil {
			err = r.Err
		}
	}
	if err != nil {
		return fmt.Errorf("granting %s: %w", g, err)
	}
	return nil
}
