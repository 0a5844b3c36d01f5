//go:build system

package browsertest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"sync/atomic"
	"testing"

	"github.com/cordpair/cordpair/media"
)

// page calls through its RTCPeerConnection: its microphone is Chromium's fake device,
// which beeps. It reports what it hears from its analyser, which is what a person
// would hear, and restarts ICE when it is told to.
const page = `<!doctype html><title>phone</title><script>
const post = async (path, body) => (await fetch(path, {method: "POST", body})).text()
async function call(pc, how) {
	await pc.setLocalDescription(await pc.createOffer(how))
	while (pc.iceGatheringState !== "complete") await new Promise(r => setTimeout(r, 20))
	await pc.setRemoteDescription({type: "answer", sdp: await post("/offer", pc.localDescription.sdp)})
}
async function answer(pc) {
	await pc.setRemoteDescription({type: "offer", sdp: await post("/ring", "")})
	await pc.setLocalDescription(await pc.createAnswer())
	while (pc.iceGatheringState !== "complete") await new Promise(r => setTimeout(r, 20))
	await post("/answer", pc.localDescription.sdp)
}
async function run() {
	const pc = new RTCPeerConnection(), sound = new AudioContext()
	await sound.resume()
	const ear = sound.createAnalyser()
	ear.fftSize = 2048
	const mic = await navigator.mediaDevices.getUserMedia({audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false}})
	for (const track of mic.getTracks()) pc.addTrack(track, mic)
	pc.ontrack = e => {
		const far = new MediaStream([e.track]), out = new Audio()
		out.srcObject = far
		out.muted = true
		out.play()
		sound.createMediaStreamSource(far).connect(ear)
	}
	if (location.hash === "#called") await answer(pc); else await call(pc)
	for (;;) {
		await new Promise(r => setTimeout(r, 100))
		const bins = new Float32Array(ear.frequencyBinCount)
		ear.getFloatFrequencyData(bins)
		const top = bins.indexOf(bins.reduce((a, b) => Math.max(a, b)))
		const stats = [...(await pc.getStats()).values()]
		const rtp = stats.find(s => s.type === "inbound-rtp") || {}
		const pair = stats.find(s => s.type === "candidate-pair" && s.nominated && s.state === "succeeded") || {}
		const then = await post("/heard", JSON.stringify({
			State: pc.connectionState, Hz: top * sound.sampleRate / ear.fftSize, DB: Number.isFinite(bins[top]) ? bins[top] : -200,
			Packets: rtp.packetsReceived || 0, Lost: rtp.packetsLost || 0, Consent: pair.consentRequestsSent || 0, RTT: pair.currentRoundTripTime || 0,
		}))
		if (then === "restart") await call(pc, {iceRestart: true})
		if (then === "hang up") { pc.close(); await post("/over", ""); return }
	}
}
run().catch(e => post("/failed", String(e.stack || e)))
</script>`

// report is what the page says of itself.
type report struct {
	State         string
	Hz, DB, RTT   float64
	Packets, Lost int
	Consent       int
}

// chromium is one with the page open.
type chromium struct {
	t       *testing.T
	session *media.Session
	far     *media.Session // who rings it
	last    atomic.Pointer[report]
	next    atomic.Pointer[string]
	failed  atomic.Pointer[string]
	over    atomic.Bool
}

// browse opens the page in a headless Chromium, which ends with the test.
func browse(t *testing.T, s, far *media.Session, fragment string) *chromium {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium")
	}
	c := &chromium{t: t, session: s, far: far}
	server := httptest.NewServer(c.routes())
	cmd := exec.CommandContext(t.Context(), program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--allow-loopback-in-peer-connection",
		"--autoplay-policy=no-user-gesture-required", "--user-data-dir="+t.TempDir(), server.URL+"/"+fragment)
	var said bytes.Buffer
	cmd.Stderr = &said
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		server.CloseClientConnections()
		server.Close()
		if t.Failed() {
			t.Logf("chromium: %s", said.Bytes())
		}
	})
	return c
}

func (c *chromium) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, page) })
	mux.HandleFunc("POST /offer", c.reply(func(body []byte) ([]byte, error) {
		if _, err := c.session.SetOffer(body); err != nil {
			return nil, err
		}
		return c.session.Answer()
	}))
	mux.HandleFunc("POST /ring", c.reply(func([]byte) ([]byte, error) { return c.session.Offer(c.far) }))
	mux.HandleFunc("POST /answer", c.reply(func(body []byte) ([]byte, error) {
		_, err := c.session.SetAnswer(body)
		return nil, err
	}))
	mux.HandleFunc("POST /heard", c.reply(func(body []byte) ([]byte, error) {
		r := new(report)
		err := json.Unmarshal(body, r)
		c.last.Store(r)
		if then := c.next.Swap(nil); then != nil {
			return []byte(*then), err
		}
		return nil, err
	}))
	mux.HandleFunc("POST /over", c.reply(func([]byte) ([]byte, error) { c.over.Store(true); return nil, nil }))
	mux.HandleFunc("POST /failed", c.reply(func(body []byte) ([]byte, error) { c.fails(string(body)); return nil, nil }))
	return mux
}

// reply answers a request, and keeps what went wrong.
func (c *chromium) reply(do func(body []byte) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
		if err == nil {
			body, err = do(body)
		}
		if err != nil {
			c.fails(err.Error())
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(body)
	}
}

func (c *chromium) fails(why string) { c.failed.CompareAndSwap(nil, &why) }

// tell is what the page does next.
func (c *chromium) tell(what string) { c.next.Store(&what) }

// hears tells whether a tone is what the page hears most of, above a level in dB.
func (c *chromium) hears(freq float64) bool {
	if why := c.failed.Load(); why != nil {
		c.t.Fatal(*why)
	}
	r := c.last.Load()
	return r != nil && r.DB > -50 && r.Hz > freq-30 && r.Hz < freq+30
}
