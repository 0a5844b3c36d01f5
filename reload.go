package cordpair

import (
	"reflect"
	"strings"
)

// Reload puts another configuration into force while the switch runs. Log level,
// drain time and the number of calls follow at once, and running calls go on;
// everything else needs a restart, and a configuration that differs there is
// refused as a whole (L11), naming the keys.
func (s *Switch) Reload(cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	s.life.Lock()
	defer s.life.Unlock()
	now := s.now()
	want := cfg
	want.Log.Level, want.DrainTime, want.MaxCalls = now.Log.Level, now.DrainTime, now.MaxCalls
	if keys := differing(now, want); len(keys) > 0 {
		return badConfig(strings.Join(keys, ", "), "cannot change while the switch runs; restart it")
	}
	s.current.Store(&cfg)
	level, _ := cfg.Log.level() // Validate has seen it
	s.level.Set(level)
	s.calls.SetMaxCalls(cfg.MaxCalls)
	s.log.Info("configuration reloaded")
	return nil
}

// now is the configuration in force; s.cfg is the one the switch was opened with.
func (s *Switch) now() Config { return *s.current.Load() }

// differing names the keys in which two configurations differ.
func differing(a, b Config) (keys []string) {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		f := x.Type().Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key == "-" || reflect.DeepEqual(x.Field(i).Interface(), y.Field(i).Interface()) {
			continue
		}
		keys = append(keys, key)
	}
	return keys
}
