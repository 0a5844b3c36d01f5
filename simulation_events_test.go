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
	if died := h.s.life() - life; died > 0 {
		h.s.again(text, died)
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

// again notes a text whose answer died with the switch. Its nonces died, too, so the
// phone signs its repetition anew, which makes it another request (RFC 3261 22.2):
// what the dead one had stored and what the next one gets are two texts.
func (s *sim) again(text string, died int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.twice[text] = (died + 1) / 2 // two numbers for each death
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
	came := map[string]map[string]bool{} // by text: requests
	for _, h := range s.sets {
		for _, m := range h.phone.Texts() {
			text := string(m.Body)
			if !strings.Contains(text, " says ") {
				s.problem("%s got the text %q", h.number, text)
			}
			if came[text] == nil {
				came[text] = map[string]bool{}
			}
			came[text][m.Header("Call-ID")+" "+m.Header("CSeq")] = true
			if n := len(came[text]); n > 1+s.twice[text] {
				s.problem("%q came to %s in %d requests", text, h.number, n)
			}
		}
	}
	for text, to := range s.texts {
		if i := int(to[2] - '1'); len(came[text]) == 0 && i < len(s.sets) && !s.sets[i].gone {
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
