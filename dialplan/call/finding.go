package call

// EventFinding says what is wrong with the audio of a leg.
const EventFinding EventKind = "media.finding"

// Finding is one thing that is wrong with the audio of a leg, or worth knowing
// to whoever looks for a fault.
type Finding struct {
	// Code names the finding for programs: "no_media", "late_media",
	// "other_source", "loss", "jitter", "strangers".
	Code string `json:"code"`
	// Text says it to people, with the figures.
	Text string `json:"text"`
}
