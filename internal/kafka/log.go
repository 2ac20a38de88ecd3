package kafka

import (
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/twmb/franz-go/pkg/kgo"
)

// clientLogger hands the client's log lines to the engine, one level lower: a lost connection that is being retried
// is no error of the pipeline.
type clientLogger struct{ log *service.Logger }

func (l *clientLogger) Level() kgo.LogLevel {
	if l.log == nil {
		return kgo.LogLevelNone
	}
	return kgo.LogLevelInfo
}

func (l *clientLogger) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	if l.log == nil {
		return
	}
	log := l.log.With(keyvals...)
	switch level {
	case kgo.LogLevelError:
		log.Warn(msg)
	case kgo.LogLevelWarn, kgo.LogLevelInfo:
		log.Debug(msg)
	default:
		log.Trace(msg)
	}
}
