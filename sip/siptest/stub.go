package siptest

import (
	"context"
	"net/netip"
	"time"
)


func (n *Net) Phone(user, password, domain string, options ...Option) *Phone { return nil }
// Option changes the Config of a phone that Net.Phone makes.
type Option func(*Config)

func TCP(*Config)                       {}
func IPv6(*Config)                      {}
func WithCodecs(codecs ...Codec) Option { return nil }

type Codec uint8

const (
	PCMU Codec = 0
	PCMA Codec = 8
)

type Config struct {
	User, Password, Domain string
	Switch                 netip.AddrPort // where requests go; invalid: to the host of the URI
	Transport              string         // "udp" (default) or "tcp"
	Local                  netip.AddrPort // address to bind; port 0 picks one
	Network                Network        // nil: Sockets
	Codecs                 []Codec        // default PCMU, PCMA
	Expires                time.Duration  // of registrations, default 1 h
	History                int            // messages kept for Transcript, default 512
}

type Phone struct{}

func NewPhone(cfg Config) (*Phone, error)                                     { return nil, nil }
func (p *Phone) Close() error                                                 { return nil }
func (p *Phone) URI() string                                                  { return "" } // sip:user@ip:port, for calls without a switch
func (p *Phone) Addr() netip.AddrPort                                         { return netip.AddrPort{} }
func (p *Phone) Register(ctx context.Context) error                           { return nil }
func (p *Phone) Unregister(ctx context.Context) error                         { return nil }
func (p *Phone) Options(ctx context.Context, target string) (*Message, error) { return nil, nil }
func (p *Phone) Call(ctx context.Context, target string) (*Call, error)       { return nil, nil }
func (p *Phone) Incoming(ctx context.Context) (*Call, error)                  { return nil, nil }
func (p *Phone) Send(ctx context.Context, raw []byte) error                   { return nil }
func (p *Phone) Exchange(ctx context.Context, raw []byte) ([]*Message, error) { return nil, nil }
func (p *Phone) Misbehave(m Misbehaviour)                                     {}
func (p *Phone) Disconnect()                                                  {} // drops TCP connections, as a lost network does
func (p *Phone) LastResponse() *Message                                       { return nil }
func (p *Phone) Messages() []Record                                           { return nil }
func (p *Phone) Transcript() string                                           { return "" }
func (p *Phone) Stats() Stats                                                 { return Stats{} }

type Misbehaviour uint8

const (
	NeverACK  Misbehaviour = 1 << iota // no ACK to a 2xx
	IgnoreBYE                          // no answer to BYE
	IgnoreAll                          // no answer to any request
	NoRTCP                             // no RTCP reports while connected
)

type Record struct {
	At       time.Time
	Sent     bool
	Peer     netip.AddrPort
	Repeated bool
	Message  *Message
}
type Stats struct{ Sent, Received, Retransmitted, Repeated, Unexpected, Unreadable uint64 }

type Call struct{}

func (c *Call) ID() string                                                 { return "" } // Call-ID
func (c *Call) Invite() *Message                                           { return nil }
func (c *Call) LastResponse() *Message                                     { return nil }
func (c *Call) WaitRinging(ctx context.Context) error                      { return nil } // any 18x
func (c *Call) WaitProgress(ctx context.Context) error                     { return nil } // 18x with SDP
func (c *Call) WaitAnswered(ctx context.Context) error                     { return nil } // out: 2xx; in: ACK seen
func (c *Call) WaitEnded(ctx context.Context) (End, error)                 { return End{}, nil }
func (c *Call) Ring() error                                                { return nil }
func (c *Call) Progress() error                                            { return nil }
func (c *Call) Answer() error                                              { return nil }
func (c *Call) Reject(code int) error                                      { return nil }
func (c *Call) Cancel(ctx context.Context) error                           { return nil }
func (c *Call) Hangup(ctx context.Context) error                           { return nil }
func (c *Call) Hold(ctx context.Context) error                             { return nil }
func (c *Call) Resume(ctx context.Context) error                           { return nil }
func (c *Call) Held() bool                                                 { return false } // the far end holds us
func (c *Call) Press(ctx context.Context, digits string) error             { return nil }
func (c *Call) PressInfo(ctx context.Context, digits string) error         { return nil }
func (c *Call) Digits() string                                             { return "" } // received so far
func (c *Call) WaitDigits(ctx context.Context, digits string) error        { return nil }
func (c *Call) Say(pcm []int16) error                                      { return nil } // in the background, 8 kHz
func (c *Call) SayTone(hz float64) error                                   { return nil } // until Quiet
func (c *Call) Quiet()                                                     {}
func (c *Call) WaitSaid(ctx context.Context) error                         { return nil }
func (c *Call) Hear(ctx context.Context, d time.Duration) ([]int16, error) { return nil, nil }
func (c *Call) HearsTone(ctx context.Context, hz float64) error            { return nil }
func (c *Call) HearsSilence(ctx context.Context, d time.Duration) error    { return nil }
func (c *Call) RTP() RTPStats                                              { return RTPStats{} }

// End tells how a call ended.
type End struct {
	Remote  bool   // the far end ended it
	Code    int    // final status of an INVITE that failed; 487 when cancelled; 0 after a talk
	Reason  string // Reason header of what ended it
	Message *Message
}
type RTPStats struct {
	Sent, Received, Lost, RTCPSent, RTCPReceived uint64
	PayloadType                                  uint8
	SSRC                                         uint32
}

// Tone returns PCM at 8 kHz, amplitude a half.
func Tone(hz float64, d time.Duration) []int16 { return nil }

// HasTone is true when hz carries most of the energy of pcm.
func HasTone(pcm []int16, hz float64) bool { return false }

// Level is the RMS of pcm in dB of full scale.
func Level(pcm []int16) float64 { return 0 }
