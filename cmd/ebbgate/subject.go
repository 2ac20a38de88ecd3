package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/urfave/cli/v2"

	"github.com/ebbgate/ebbgate/internal/kafka"
	"github.com/ebbgate/ebbgate/internal/keys"
	"github.com/ebbgate/ebbgate/internal/topics"
	"github.com/ebbgate/ebbgate/internal/workspace"
)

// subjectTimeout bounds reading a topic to its end and writing one record to it.
const subjectTimeout = 30 * time.Second

// subjectFlags name one subject, and the broker and workspace that know of it.
func subjectFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "user-id", Usage: "the subject's user_id"},
		&cli.StringFlag{Name: "anonymous-id", Usage: "the subject's anonymous_id"},
		&cli.StringFlag{Name: "account-id", Usage: "the subject's account_id"},
		&cli.StringFlag{Name: "brokers", EnvVars: []string{"EBBGATE_BROKERS"}, Value: "127.0.0.1:9092", Usage: "broker addresses, comma separated"},
		workspaceFlag(),
		outputFlag(),
	}
}

// subjectLog is a compacted topic and the key under which it knows one subject.
type subjectLog struct {
	client *kafka.Client
	topic  string
	key    string
	ws     *workspace.Workspace
	ring   *keys.Ring
}

func openSubjectLog(c *cli.Context, role topics.Role) (*subjectLog, error) {
	ws, err := workspace.Load(c.String("workspace"))
	if err != nil {
		return nil, err
	}
	topic, ok := ws.Topics.ByRole(role)
	if !ok {
		return nil, fmt.Errorf("%s/topics.yaml: no topic has role %s", ws.Dir, role)
	}
	ring, err := keys.FromEnvironment()
	if err != nil {
		return nil, err
	}
	key, err := subjectKey(c, ring)
	if err != nil {
		return nil, err
	}
	if err := answers(c.Context, c.String("brokers")); err != nil {
		return nil, err
	}
	client, err := kafkaClient(c.String("brokers"))
	return &subjectLog{client, topic.Name, key, ws, ring}, err
}

func subjectKey(c *cli.Context, ring *keys.Ring) (string, error) { return prefixedKey(c, ring, "") }

// prefixedKey is the pseudonym of the subject that flags of a prefix name.
func prefixedKey(c *cli.Context, ring *keys.Ring, prefix string) (string, error) {
	key := ""
	for _, kind := range []string{"user_id", "anonymous_id", "account_id"} {
		id := c.String(prefix + strings.ReplaceAll(kind, "_", "-"))
		switch {
		case id == "":
		case key != "":
			return "", fmt.Errorf("name one of --%[1]suser-id, --%[1]sanonymous-id and --%[1]saccount-id, not several", prefix)
		default:
			key = ring.SubjectPseudonym(kind, id)
		}
	}
	if key == "" {
		return "", fmt.Errorf("name the subject with --%[1]suser-id, --%[1]sanonymous-id or --%[1]saccount-id", prefix)
	}
	return key, nil
}

// kafkaClient builds the shared client from a list of addresses, with the defaults components have.
func kafkaClient(brokers string) (*kafka.Client, error) {
	list, err := json.Marshal(map[string]any{kafka.FieldSeedBrokers: strings.Split(brokers, ",")})
	if err != nil {
		return nil, err
	}
	conf, err := service.NewConfigSpec().Fields(kafka.ClientFields()...).ParseYAML(string(list), nil)
	if err != nil {
		return nil, err
	}
	return kafka.ParseClient(conf, nil)
}
