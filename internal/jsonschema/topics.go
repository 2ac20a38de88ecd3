package jsonschema

import "github.com/ebbgate/ebbgate/internal/topics"

func topicsFile() node {
	n := object(
		field{"defaults", "What holds for every topic that does not say otherwise.", false, object(
			field{"replication_factor", "Copies of each partition: 3 on a production cluster.", false, integer(1, 9)},
		)},
		field{"topics", "Every topic of the workspace, by name.", true, namedBy(`^[A-Za-z0-9][A-Za-z0-9._-]{0,248}$`, topic())},
	)
	n["title"] = "Ebbgate topics"
	return n
}

func topic() node {
	n := object(
		field{"role", "What the topic is for in the workspace; a topic has a role or a destination.", false, oneOf(topics.Roles()...)},
		field{"destination", "The destination of policy.yaml whose sealed events it holds.", false, name()},
		field{"partitions", "How many consumers can share the work.", true, integer(1, 10000)},
		field{"replication_factor", "Copies of each partition.", false, integer(1, 9)},
		field{"retention", "How long records are kept, with cleanup: delete.", false, retention()},
		field{"cleanup", "delete: by age. compact: the last record of every key stays, for state.", true, oneOf("delete", "compact")},
		field{"compression", "How brokers keep it.", false, oneOf("none", "gzip", "snappy", "lz4", "zstd", "producer")},
		field{"max_message_bytes", "The largest batch of records.", false, integer(1024, 64<<20)},
		field{"read", "Who may read it, as User:NAME.", false, principals()},
		field{"write", "Who may write to it, as User:NAME.", false, principals()},
		field{"description", "What it holds, for people.", false, text()},
	)
	n["oneOf"] = []node{{"required": []string{"role"}}, {"required": []string{"destination"}}}
	n["if"] = node{"properties": node{"cleanup": node{"const": "compact"}}, "required": []string{"cleanup"}}
	n["then"] = node{"properties": node{"retention": false}}
	n["else"] = node{"required": []string{"retention"}}
	return n
}

func principals() node { return listOf(node{"type": "string", "pattern": `^User:[^*\t ]+$`}) }
