package store

import (
	"fmt"
	"log/slog"
	"strings"
)

// badgerLog passes Badger's messages on. What it calls information is of
// interest to those who debug it only.
type badgerLog struct{ log *slog.Logger }

func (l badgerLog) Errorf(format string, args ...any)   { l.log.Error(text(format, args)) }
func (l badgerLog) Warningf(format string, args ...any) { l.log.Warn(text(format, args)) }
func (l badgerLog) Infof(format string, args ...any)    { l.log.Debug(text(format, args)) }

// Debugf drops what Badger says at every write.
func (l badgerLog) Debugf(string, ...any) {}

func text(format string, args []any) string {
	return "badger: " + strings.TrimSpace(fmt.Sprintf(format, args...))
}
