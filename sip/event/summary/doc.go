// Package summary is the event package message-summary (RFC 3842): the lamp that
// says messages are waiting. Counts come from what was published for the
// extension (a mail system outside may PUBLISH) and from every Source plugged in:
// stored text messages, later the voicemail.
//
// Who may watch and publish: an extension its own summary.
//
// A Package holds nothing but its sources and may be used from any goroutine.
// Parse and Summary.String are inverse for what they keep.
//
//	s, err := summary.Parse([]byte("Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n"))
//	s.Counts[summary.Voice].New // 2
package summary
