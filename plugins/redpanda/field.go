package redpanda

import (
	"regexp"
	"slices"
	"strings"

	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kgo"
)

// field is an interpolated field. The two common kinds, a fixed text and one metadata value, are read without running
// a mapping per message.
type field struct {
	expr  *service.InterpolatedString
	meta  string
	fixed string
}

var oneMetadata = regexp.MustCompile(`^\$\{!\s*(?:@([A-Za-z_][A-Za-z0-9_]*)|metadata\("([A-Za-z0-9_]+)"\))\s*\}$`)

func newField(conf *service.ParsedConfig, name string) (*field, error) {
	expr, err := conf.FieldInterpolatedString(name)
	if err != nil {
		return nil, err
	}
	f := &field{expr: expr}
	text, err := conf.FieldString(name)
	if err != nil {
		return f, nil
	}
	if m := oneMetadata.FindStringSubmatch(text); m != nil {
		f.meta = m[1] + m[2]
	} else if !strings.Contains(text, "${") {
		f.fixed = text
	}
	return f, nil
}

// fieldReader reads a field for the messages of one batch.
type fieldReader struct {
	field *field
	exec  *service.MessageBatchInterpolationExecutor
}

func (f *field) reader(batch service.MessageBatch) fieldReader {
	r := fieldReader{field: f}
	if f.meta == "" && f.fixed == "" {
		r.exec = batch.InterpolationExecutor(f.expr)
	}
	return r
}

// read returns the field's value; ok is false when it has none: the expression failed or gave null.
func (r fieldReader) read(i int, msg *service.Message) (text string, ok bool) {
	switch {
	case r.field.fixed != "":
		return r.field.fixed, true
	case r.field.meta != "":
		return msg.MetaGet(r.field.meta)
	}
	text, err := r.exec.TryString(i)
	return text, err == nil && text != "null"
}

func sortHeaders(headers []kgo.RecordHeader) {
	slices.SortStableFunc(headers, func(a, b kgo.RecordHeader) int { return strings.Compare(a.Key, b.Key) })
}
