package cordpair_test

import (
	"fmt"
	"strings"
	"time"
)

// text sends a message to somebody, who may be away.
func (h *handset) text() {
	life := h.s.life()
	to := fmt.Sprint(101 + h.rand.IntN(5))
	h.texts++
	text := fmt.Sprintf("%s says %d", h.number, h.texts)
	res, err := h.phone.Message(h.s.t.Context(), to, text)
	if life != h.s.life() {
		h.s.again(text)
	}
	if !h.did("sends a text", err, life) {
		return
	}
	if res.Code != 200 && res.Code != 202 {
		h.s.problem("%s sends a text to %s and gets %d", h.number, to, res.Code)
		return
	}
	h.s.mu.Lock()
	h.s.texts[text] = to
	h.s.mu.Unlock()
}

// again notes a text whose answer died with the switch: challenged by the next one,
// the phone sent it as a new request.
func (s *sim) again(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.twice[text] = true
}

// watch subscribes to the phone's own registration and its messages.
func (h *handset) watch() {
	for _, event := range []string{"reg", "message-summary"} {
		life := h.s.life()
		sub, err := h.phone.Subscribe(h.s.t.Context(), event, h.number, time.Hour)
		if h.did("subscribes to "+event, err, life) {
			h.watched = append(h.watched, sub)
		}
	}
}

// collect lets every phone register once more in fair weather: what was stored for
// it comes then, and what it watches changes.
func (s *sim) collect() {
	for _, h := range s.sets {
		if h.isGone() {
			continue
		}
		for _, sub := range h.watched {
			sub.Notified() // only what comes from now on counts
		}
		h.unregister()
		h.register()
	}
	time.Sleep(40 * time.Second)
}

// checkTexts: a message that was answered with 2xx reaches its phone, and as one:
// what comes twice is the same request.
func (s *sim) checkTexts() {
	came := map[string]string{} // text to Call-ID
	for _, h := range s.sets {
		for _, m := range h.phone.Texts() {
			text, id := string(m.Body), m.Header("Call-ID")+" "+m.Header("CSeq")
			if !strings.Contains(text, " says ") {
				s.problem("%s got the text %q", h.number, text)
			}
			if first := came[text]; first != "" && first != id && !s.twice[text] {
				s.problem("%q came to %s as %s and as %s", text, h.number, first, id)
			}
			came[text] = id
		}
	}
	for text, to := range s.texts {
		if i := int(to[2] - '1'); came[text] == "" && i < len(s.sets) && !s.sets[i].gone {
			s.problem("%s never got %q", to, text)
		}
	}
}

// checkWatched: a subscription goes on, also over the death of the switch. That of a
// phone over TCP ends with its connection.
func (s *sim) checkWatched() {
	for _, h := range s.sets {
		for _, sub := range h.watched {
			list := sub.Notified()
			if len(list) == 0 && !h.gone && !h.tcp && sub.Event() == "reg" {
				s.problem("%s registered anew, and its subscription %s was told nothing", h.number, sub.CallID())
			}
		}
	}
}
