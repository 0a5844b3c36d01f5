package cordpair

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/goccy/go-yaml"

	"github.com/cordpair/cordpair/dialplan/call"
	"github.com/cordpair/cordpair/media"
)

// Config is everything a process needs to know before it starts. What users,
// numbers and rules there are is not here: that lies in the store.
type Config struct {
	// DataDir is the folder of everything durable; created with mode 0700.
	DataDir string `yaml:"data_dir" env:"DATA_DIR"`
	// SecretKey is the file with the key that seals passwords in the store;
	// empty for secret.key in DataDir. Back it up apart from the data.
	SecretKey string `yaml:"secret_key" env:"SECRET_KEY"`
	Listen    Listen `yaml:"listen"`
	RTP       RTP    `yaml:"rtp"`
	API       API    `yaml:"api"`
	Log       Log    `yaml:"log"`
	// DrainTime is how long running calls may go on after a request to stop.
	DrainTime time.Duration `yaml:"drain_time" env:"DRAIN_TIME"`
	// MaxCalls is how many calls may be up at once; a phone whose call would be
	// one more is told to try again later.
	MaxCalls int `yaml:"max_calls" env:"MAX_CALLS"`

	// Demo gives every client the numbers *43, *44 and *45.
	Demo bool `yaml:"-"`
	// InMemory keeps nothing on disk; for tests.
	InMemory bool `yaml:"-"`
	// Network replaces the machine's; for tests. siptest.Net is one.
	Network Network `yaml:"-"`
	// Logger replaces the one that Log describes.
	Logger *slog.Logger `yaml:"-"`
}

// Listen says where the switch is reached.
type Listen struct {
	SIP []SIPListener `yaml:"sip"`
	// HTTP and Metrics are addresses; empty turns the listener off.
	HTTP    string `yaml:"http" env:"LISTEN_HTTP"`
	Metrics string `yaml:"metrics" env:"LISTEN_METRICS"`
}

// SIPListener is one SIP socket.
type SIPListener struct {
	// Name stands in stored registrations, so a phone stays reachable over a
	// restart only while its listener keeps the name. Default: the transport.
	Name string `yaml:"name"`
	// Transport is udp or tcp.
	Transport string `yaml:"transport"`
	// Addr is address:port.
	Addr string `yaml:"addr"`
	// Advertise is the address:port that phones are told, where it differs.
	Advertise string `yaml:"advertise"`
}

// RTP says where media is received.
type RTP struct {
	// Ports is a range, "16384-32767".
	Ports string `yaml:"ports" env:"RTP_PORTS"`
	// Addresses are the local addresses for media; empty means those of the SIP
	// listeners, or every address of the machine where they listen on all.
	Addresses []string `yaml:"addresses" env:"RTP_ADDRESSES"`
	// Encryption is what calls do about SRTP: never, offered (if the phone offers
	// it), preferred (we offer it, and the phone may decline) or required.
	Encryption string `yaml:"encryption" env:"RTP_ENCRYPTION"`
	// OpusWorker is the program that encodes Opus; empty means the cordpair-worker
	// beside this one, if there is one.
	OpusWorker string `yaml:"opus_worker" env:"RTP_OPUS_WORKER"`
}

// API limits what the HTTP API takes.
type API struct {
	// ConnectionsPerSource is how many connections one address may have at once;
	// more are closed.
	ConnectionsPerSource int `yaml:"connections_per_source" env:"API_CONNECTIONS_PER_SOURCE"`
	// RequestsPerHour is how many requests all applications of a client may make.
	RequestsPerHour int `yaml:"requests_per_hour" env:"API_REQUESTS_PER_HOUR"`
	// Origins are the web origins whose pages may use the API; none by default.
	Origins []string `yaml:"origins" env:"API_ORIGINS"`
}

func (a API) validate() error {
	var errs []error
	if a.ConnectionsPerSource < 1 {
		errs = append(errs, badConfig("api.connections_per_source", "must be at least 1"))
	}
	if a.RequestsPerHour < 1 {
		errs = append(errs, badConfig("api.requests_per_hour", "must be at least 1"))
	}
	for i, o := range a.Origins {
		if u, err := url.Parse(o); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" {
			errs = append(errs, badConfig(fmt.Sprintf("api.origins[%d]", i), "%q is not scheme://host", o))
		}
	}
	return errors.Join(errs...)
}

// Log says what is written to standard error.
type Log struct {
	Level  string `yaml:"level" env:"LOG_LEVEL"`   // debug, info, warn, error
	Format string `yaml:"format" env:"LOG_FORMAT"` // text, json
}

// DefaultConfig listens on every address of the machine and keeps its data in
// ./data.
func DefaultConfig() Config {
	return Config{
		DataDir: "data",
		Listen: Listen{
			SIP: []SIPListener{
				{Name: "udp", Transport: "udp", Addr: "0.0.0.0:5060"},
				{Name: "tcp", Transport: "tcp", Addr: "0.0.0.0:5060"},
			},
			HTTP:    "127.0.0.1:8080",
			Metrics: "127.0.0.1:9090",
		},
		RTP:       RTP{Ports: "16384-32767", Encryption: "offered"},
		API:       API{ConnectionsPerSource: 100, RequestsPerHour: 100_000},
		Log:       Log{Level: "info", Format: "text"},
		DrainTime: 30 * time.Second,
		MaxCalls:  call.DefaultMaxCalls,
	}
}

// InMemory is the configuration of a switch inside a test: it listens for UDP
// and TCP at addr of a network in memory (siptest.Net) and keeps nothing. It
// runs inside a testing/synctest bubble if opened and stopped there.
func InMemory(n Network, addr netip.AddrPort) Config {
	cfg := DefaultConfig()
	cfg.InMemory, cfg.Network, cfg.DrainTime = true, n, 0
	cfg.Listen = Listen{SIP: []SIPListener{
		{Name: "udp", Transport: "udp", Addr: addr.String()},
		{Name: "tcp", Transport: "tcp", Addr: addr.String()},
	}}
	cfg.Log.Level = "error"
	return cfg
}

// LoadConfig reads a YAML file over the defaults, then environment variables
// over both (CORDPAIR_DATA_DIR, CORDPAIR_LISTEN_HTTP, CORDPAIR_RTP_PORTS …). A
// key the switch does not know is an error; a section without keys says nothing.
func LoadConfig(file string) (Config, error) {
	cfg := DefaultConfig()
	text, err := os.ReadFile(file)
	if err != nil {
		return cfg, err
	}
	if err := cfg.overlay(text); err != nil {
		return cfg, fmt.Errorf("%s: %w", file, err)
	}
	if err := env.ParseWithOptions(&cfg, env.Options{Prefix: "CORDPAIR_"}); err != nil {
		return cfg, fmt.Errorf("environment: %w", err)
	}
	return cfg, cfg.Validate()
}

// overlay sets what a YAML text says. Null, which is what a text or a section
// of comments is, would set a whole struct to zero.
func (c *Config) overlay(text []byte) error {
	var sections map[string]any
	if err := yaml.UnmarshalWithOptions(text, &sections, yaml.Strict()); err != nil {
		return err
	}
	if sections == nil {
		return nil
	}
	before := *c
	if err := yaml.UnmarshalWithOptions(text, c, yaml.Strict()); err != nil {
		return err
	}
	silent := func(key string) bool { v, ok := sections[key]; return ok && v == nil }
	if silent("listen") {
		c.Listen = before.Listen
	}
	if silent("rtp") {
		c.RTP = before.RTP
	}
	if silent("api") {
		c.API = before.API
	}
	if silent("log") {
		c.Log = before.Log
	}
	return nil
}

// ErrConfig is the sentinel under every error of Validate.
var ErrConfig = errors.New("bad configuration")

func badConfig(field, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrConfig, field, fmt.Sprintf(format, args...))
}

// Validate reports every field that cannot be used, by its name in the file.
func (c Config) Validate() error {
	var errs []error
	if c.DataDir == "" && !c.InMemory {
		errs = append(errs, badConfig("data_dir", "is missing"))
	}
	if len(c.Listen.SIP) == 0 {
		errs = append(errs, badConfig("listen.sip", "needs at least one listener"))
	}
	names := map[string]bool{}
	for i, l := range c.Listen.SIP {
		errs = append(errs, l.validate(fmt.Sprintf("listen.sip[%d]", i)))
		if n := l.name(); names[n] {
			errs = append(errs, badConfig(fmt.Sprintf("listen.sip[%d].name", i), "%q is used twice", n))
		} else {
			names[n] = true
		}
	}
	errs = append(errs, validAddr("listen.http", c.Listen.HTTP), validAddr("listen.metrics", c.Listen.Metrics),
		c.RTP.validate(), c.API.validate(), c.Log.validate())
	if c.DrainTime < 0 {
		errs = append(errs, badConfig("drain_time", "is negative"))
	}
	if c.MaxCalls < 1 {
		errs = append(errs, badConfig("max_calls", "must be at least 1"))
	}
	return errors.Join(errs...)
}

func (l SIPListener) name() string {
	if l.Name != "" {
		return l.Name
	}
	return l.Transport
}

func (l SIPListener) validate(field string) error {
	var errs []error
	if l.Transport != "udp" && l.Transport != "tcp" {
		errs = append(errs, badConfig(field+".transport", "%q is neither udp nor tcp", l.Transport))
	}
	if _, err := netip.ParseAddrPort(l.Addr); err != nil {
		errs = append(errs, badConfig(field+".addr", "%q is not address:port", l.Addr))
	}
	if l.Advertise != "" {
		if a, err := netip.ParseAddrPort(l.Advertise); err != nil || a.Addr().IsUnspecified() || a.Port() == 0 {
			errs = append(errs, badConfig(field+".advertise", "%q is not an address:port that phones can reach", l.Advertise))
		}
	}
	return errors.Join(errs...)
}

func validAddr(field, addr string) error {
	if addr == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return badConfig(field, "%q is not address:port", addr)
	}
	return nil
}

func (r RTP) validate() error {
	var errs []error
	if _, _, err := r.ports(); err != nil {
		errs = append(errs, err)
	}
	if _, ok := encryptions[r.Encryption]; !ok {
		errs = append(errs, badConfig("rtp.encryption", "%q is none of never, offered, preferred, required", r.Encryption))
	}
	for i, a := range r.Addresses {
		if ip, err := netip.ParseAddr(a); err != nil || ip.IsUnspecified() || ip.IsMulticast() || ip.Zone() != "" {
			errs = append(errs, badConfig(fmt.Sprintf("rtp.addresses[%d]", i), "%q is not the address of an interface", a))
		}
	}
	return errors.Join(errs...)
}

// encryptions are the values of rtp.encryption.
var encryptions = map[string]media.Encryption{
	"never": media.EncryptNever, "offered": media.EncryptOffered, "preferred": media.EncryptPreferred, "required": media.EncryptRequired,
}

// ports reads "low-high".
func (r RTP) ports() (low, high int, err error) {
	a, b, found := strings.Cut(r.Ports, "-")
	low, errLow := strconv.Atoi(strings.TrimSpace(a))
	high, errHigh := strconv.Atoi(strings.TrimSpace(b))
	// A pair begins at an even port.
	if !found || errLow != nil || errHigh != nil || low < 1024 || high > 65535 || high-(low+low%2) < 3 {
		return 0, 0, badConfig("rtp.ports", "%q is not a range within 1024-65535 with room for two pairs", r.Ports)
	}
	return low, high, nil
}

func (l Log) validate() error {
	var errs []error
	if _, err := l.level(); err != nil {
		errs = append(errs, badConfig("log.level", "%q is none of debug, info, warn, error", l.Level))
	}
	if l.Format != "text" && l.Format != "json" {
		errs = append(errs, badConfig("log.format", "%q is neither text nor json", l.Format))
	}
	return errors.Join(errs...)
}

func (l Log) level() (slog.Level, error) {
	var level slog.Level
	err := level.UnmarshalText([]byte(l.Level))
	return level, err
}

// logger writes to standard error what is at least as important as level.
func (l Log) logger(level *slog.LevelVar) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, opts))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, opts))
}
