package kafka

import (
	"context"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/ebbgate/ebbgate/internal/topics"
)

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

// grants lists what the principals of topics.yaml need, each once, in the order of the file: readers READ the topic and the
// groups; writers WRITE it, and write idempotently; both learn of its partitions, its retention and how large a record may be.
func grants(set *topics.Set) []grant {
	var out []grant
	seen := map[grant]bool{}
	add := func(g grant) {
		if !seen[g] {
			seen[g] = true
			out = append(out, g)
		}
	}
	describe := func(p, topic string) {
		add(grant{p, kmsg.ACLResourceTypeTopic, topic, kadm.ACLPatternLiteral, kadm.OpDescribe})
		add(grant{p, kmsg.ACLResourceTypeTopic, topic, kadm.ACLPatternLiteral, kadm.OpDescribeConfigs})
	}
	for _, t := range set.All() {
		for _, p := range t.Read {
			add(grant{p, kmsg.ACLResourceTypeTopic, t.Name, kadm.ACLPatternLiteral, kadm.OpRead})
			describe(p, t.Name)
			add(grant{p, kmsg.ACLResourceTypeGroup, topics.GroupPrefix, kadm.ACLPatternPrefixed, kadm.OpRead})
		}
		for _, p := range t.Write {
			add(grant{p, kmsg.ACLResourceTypeTopic, t.Name, kadm.ACLPatternLiteral, kadm.OpWrite})
			describe(p, t.Name)
			add(grant{p, kmsg.ACLResourceTypeCluster, clusterName, kadm.ACLPatternLiteral, kadm.OpIdempotentWrite})
		}
	}
	return out
}

// permissions adds to the plan what the principals need and lack. It takes nothing away: what the file does not name stays, with a
// warning where it opens one of our topics, and it is for the operator to revoke it.
func (p *Plan) permissions(ctx context.Context, adm *kadm.Client) error {
	have, err := granted(ctx, adm)
	if err != nil {
		return err
	}
	wanted := map[grant]bool{}
	for _, g := range grants(p.set) {
		wanted[g] = true
		if have[g] {
			continue
		}
		change := Change{What: changeACL, To: g.String(), grant: g}
		if g.kind == kmsg.ACLResourceTypeTopic {
			change.Topic = g.name
		}
		p.Changes = append(p.Changes, change)
	}
	var beyond []string
	for g := range have {
		_, ours := p.set.Topic(g.name)
		if ours && g.kind == kmsg.ACLResourceTypeTopic && !wanted[g] && g.operation != kadm.OpDescribe && g.operation != kadm.OpDescribeConfigs {
			beyond = append(beyond, g.String())
		}
	}
	slices.Sort(beyond)
	for _, g := range beyond {
		p.warning("%s is granted, and %s does not say so: revoke it if nobody needs it", g, p.set.File)
	}
	return nil
}

// granted lists the permissions a broker has given for all hosts.
func granted(ctx context.Context, adm *kadm.Client) (map[grant]bool, error) {
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
	return have, nil
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
