//go:build system

package system

// flow is what up to three SIPp phones do with the switch and, through it, with each
// other: A begins, B and C are called. script.go says what a line means.
type flow struct {
	name    string
	a, b, c string
	both    bool // C is a second phone of B's extension
}

// What most calls have in common.
const (
	calling  = "> call+sdp / < 180 / < 200 / > ACK"
	answered = "< INVITE / > 180 / > 200+sdp / < ACK"
	bye      = "> BYE / < 200"
	byed     = "< BYE / > 200"
	// A phone is told whom it talks to now; by UPDATE if it allows that.
	told = "< INVITE|~P-Asserted-Identity: .*sip:10[0-9]@ / > 200+sdp / < ACK"
)

// alone are the flows of one phone.
var alone = []flow{
	{name: "options", a: "> OPTIONS sip:DOMAIN / < 200"},
	{name: "register, again and away", a: "> REGISTER sip:DOMAIN|Expires: 600 / < 401 / > REGISTER sip:DOMAIN|[field1]|Expires: 600 / < 200 /" +
		"> REGISTER sip:DOMAIN|Expires: 600 / < 401 / > REGISTER sip:DOMAIN|[field1]|Expires: 600 / < 200 /" +
		"> REGISTER sip:DOMAIN|Expires: 0 / < 401 / > REGISTER sip:DOMAIN|[field1]|Expires: 0 / < 200"},
	{name: "interval too brief", a: "> REGISTER sip:DOMAIN|Expires: 5 / < 401 / > REGISTER sip:DOMAIN|[field1]|Expires: 5 / < 423|~Min-Expires: "},
	{name: "no such number", a: "> INVITE sip:999@DOMAIN / < 407 / > ACK! / > INVITE sip:999@DOMAIN|[field1] / < 404 / > ACK!"},
	{name: "nobody's dialog", a: "> BYE sip:101@DOMAIN|To: <sip:101@DOMAIN>;tag=none / < 481"},
	{name: "subscription", a: "> SUBSCRIBE sip:[field0]@DOMAIN|Event: reg|Expires: 600 / < 401 /" +
		"> SUBSCRIBE sip:[field0]@DOMAIN|[field1]|Event: reg|Expires: 600 / < 200 / < NOTIFY|~Subscription-State: active / > 200 /" +
		"> SUBSCRIBE|Event: reg|Expires: 0 / < 200 / < NOTIFY|~Subscription-State: terminated;reason=timeout / > 200"},
	{name: "unknown event", a: "> SUBSCRIBE sip:[field0]@DOMAIN|Event: weather / < 401 / > SUBSCRIBE sip:[field0]@DOMAIN|Event: weather|[field1] / < 489|~Allow-Events: "},
	// Presence does not exist yet, and what we know of registrations nobody may publish.
	{name: "publication of what is no package", a: publishing("Event: presence") + "< 489|~Allow-Events: .*message-summary"},
	{name: "publication of what only we know", a: publishing("Event: reg") + "< 489|~Allow-Events: .*message-summary"},
	{name: "publication", a: publishing("Event: message-summary|Expires: 600|+summary") + "< 200|$etag=SIP-ETag: /" +
		publishing("Event: message-summary|Expires: 600|SIP-If-Match: [$etag]") + "< 200|$etag=SIP-ETag: /" +
		publishing("Event: message-summary|Expires: 0|SIP-If-Match: [$etag]") + "< 200 /" +
		publishing("Event: message-summary|Expires: 600|SIP-If-Match: [$etag]") + "< 412"},
}

// publishing is a PUBLISH and again, with what its challenge asks for.
func publishing(fields string) string {
	const publish = "> PUBLISH sip:[field0]@DOMAIN|"
	return publish + fields + " / < 401 / " + publish + "[field1]|" + fields + " / "
}

// between are the flows of calls.
var between = []flow{
	{name: "busy", a: "> call+sdp / < 486 / > ACK!", b: "< INVITE / > 486 / < ACK"},
	{name: "declined", a: "> call+sdp / < 180 / < 603 / > ACK!", b: "< INVITE / > 180 / > 603 / < ACK"},
	{name: "text", a: "> MESSAGE sip:[field2]@DOMAIN|+text / < 407 / > MESSAGE sip:[field2]@DOMAIN|[field1]|+text / < 200", b: "< MESSAGE / > 200"},
	{name: "given up", a: "> call+sdp / < 180 / = 200 / > CANCEL / < 200 / < 487 / > ACK!", b: "< INVITE / > 180 / < CANCEL / > 200 / > 487 INVITE / < ACK"},
	{
		name: "given up, and answered late", // RFC 3261 9.1: the 200 is acknowledged, and hung up
		a:    "> call+sdp / < 180 / = 200 / > CANCEL / < 200 / < 487 / > ACK!", b: "< INVITE / > 180 / < CANCEL / > 200 / > 200 INVITE+sdp / < ACK / " + byed,
	},
	{
		name: "answered, and given up late", // 9.2: no effect
		a:    "> call+sdp / < 180 / < 200 / > CANCEL / < 200 / > ACK / > INFO|+text / < 200 / " + bye, b: answered + " / < INFO / > 200 / " + byed,
	},
	{
		name: "hold and resume", b: answered + " / " + byed,
		a: calling + " / > INVITE+hold / < 200|~a=recvonly / > ACK / > INVITE+sdp / < 200|~a=sendrecv / > ACK / " + bye,
	},
	{name: "hold by the called", a: calling + " / = 200 / " + bye, b: answered + " / > INVITE+hold / < 200|~a=recvonly / > ACK / " + byed},
	{name: "late offer", a: "> call / < 180 / < 200 / > ACK+sdp / = 100 / " + bye, b: answered + " / " + byed},
	{name: "late ACK", a: "> call+sdp / < 180 / < 200 / = 1200 / > ACK / " + bye, b: answered + " / " + byed},
	{name: "update", a: calling + " / > UPDATE / < 200 / > UPDATE+hold / < 200|~a=recvonly / " + bye, b: answered + " / " + byed},
	{
		name: "session refresh", b: answered + " / " + byed,
		a: "> call+sdp|Supported: timer|Session-Expires: 90;refresher=uac / < 180 / < 200|~Session-Expires: 90;refresher=uac / > ACK /" +
			"> UPDATE|Supported: timer|Session-Expires: 90;refresher=uac / < 200|~Session-Expires: 90;refresher=uac / " + bye,
	},
	{name: "session too short", a: "> call+sdp|Supported: timer|Session-Expires: 30 / < 422|~Min-SE: 90 / > ACK!"},
	{
		name: "reliable ringing, to the caller", b: answered + " / " + byed,
		a: "> call+sdp|Supported: 100rel / < 180|~Require: 100rel|$seq=RSeq: / > PRACK|RAck: [$seq] 2 INVITE / < 200 / < 200 / > ACK / " + bye,
	},
	{
		name: "reliable ringing, by the called", a: calling + " / " + bye,
		b: "< INVITE|~Supported: .*100rel / > 180|Require: 100rel|RSeq: 7 / < PRACK|~RAck: 7 1 INVITE / > 200 / > 200 INVITE+sdp / < ACK / " + byed,
	},
	{name: "keys by INFO", a: calling + " / > INFO|+dtmf / < 200 / " + bye, b: answered + " / " + byed},
	{name: "INFO for the other", a: calling + " / > INFO|+text / < 200 / < INFO / > 200 / " + bye, b: answered + " / < INFO|~hello / > 200 / > INFO|+text / < 200 / " + byed},
	{
		name: "sent on", a: "> call+sdp / < 181 / < 180 / < 200 / > ACK / " + bye, b: "< INVITE / > 302|Contact: <sip:[field3]@DOMAIN> / < ACK",
		c: "< INVITE|~Diversion: .*sip:102@.*reason=unconditional / > 180 / > 200+sdp / < ACK / " + byed,
	},
	{
		name: "two phones", both: true, a: calling + " / " + bye, b: "< INVITE / > 180 / = 300 / > 200+sdp / < ACK / " + byed,
		c: "< INVITE / > 180 / < CANCEL|~Reason: .*cause=200 / > 200 / > 487 INVITE / < ACK",
	},
	{
		name: "two phones, one is busy", both: true, a: calling + " / " + bye, b: "< INVITE / > 180 / = 300 / > 200+sdp / < ACK / " + byed,
		c: "< INVITE / > 486 / < ACK",
	},
	{
		name: "two phones behind one contact", a: calling + " / " + bye, // both ring in early dialogs of one INVITE, the second answers
		b: "< INVITE / > 180 / > 180' INVITE / = 100 / > 200' INVITE+sdp / < ACK / " + byed,
	},
}

// moves are the flows in which a call gets other parties.
var moves = []flow{
	{
		name: "blind transfer", b: answered + " / " + told + " / " + byed,
		a: calling + " / > REFER|Refer-To: <sip:[field3]@DOMAIN> / < 202 / < NOTIFY|~100 Trying / > 200 / < NOTIFY|~180 Ringing / > 200 /" +
			"< NOTIFY|~terminated;reason=noresource.*200 OK / > 200 / " + byed,
		c: "< INVITE|~Referred-By: .*sip:101@ / > 180 / = 200 / > 200+sdp / < ACK / = 200 / " + bye,
	},
	{
		name: "blind transfer by the called", a: calling + " / " + told + " / " + byed,
		b: answered + " / > REFER|Refer-To: <sip:[field3]@DOMAIN> / < 202 / < NOTIFY|~100 Trying / > 200 / < NOTIFY|~180 Ringing / > 200 /" +
			"< NOTIFY|~terminated;reason=noresource.*200 OK / > 200 / " + byed,
		c: "< INVITE|~Referred-By: .*sip:102@ / > 180 / = 200 / > 200+sdp / < ACK / = 200 / " + bye,
	},
	{
		name: "blind transfer without a word", // RFC 4488
		b:    "< INVITE / > 180 / > 200+sdp|Allow: INVITE, ACK, BYE, UPDATE / < ACK / < UPDATE|~P-Asserted-Identity: .*sip:103@ / > 200 / " + byed,
		a:    calling + " / > REFER|Refer-To: <sip:[field3]@DOMAIN>|Require: norefersub|Refer-Sub: false / < 202|~Refer-Sub: false / " + byed,
		c:    "< INVITE / > 180 / = 200 / > 200+sdp / < ACK / = 200 / " + bye,
	},
	{
		name: "transfer to a phone that is busy", b: answered + " / < INFO / > 200 / " + byed, c: "< INVITE / > 486 / < ACK",
		a: calling + " / > REFER|Refer-To: <sip:[field3]@DOMAIN> / < 202 / < NOTIFY|~100 Trying / > 200 /" +
			"< NOTIFY|~terminated;reason=noresource.*486 Busy Here / > 200 / = 100 / > INFO|+text / < 200 / " + bye,
	},
	{
		name: "transfer to nobody", b: answered + " / < INFO / > 200 / " + byed,
		a: calling + " / > REFER|Refer-To: <sip:199@DOMAIN> / < 202 / < NOTIFY|~100 Trying / > 200 /" +
			"< NOTIFY|~terminated;reason=noresource.*404 Not Found / > 200 / = 100 / > INFO|+text / < 200 / " + bye,
	},
	{
		name: "transfer refused", b: answered + " / " + byed,
		a: calling + " / > REFER|Refer-To: <sip:103@elsewhere.example> / < 403 / > REFER / < 400 / > REFER|Refer-To: <mailto:x@DOMAIN> / < 416 / " + bye,
	},
	{
		name: "attended transfer", b: answered + " / " + told + " / " + byed, c: answered + " / " + told + " / = 500 / " + bye,
		a: calling + " / > INVITE+hold / < 200 / > ACK / 2> call to [field3]+sdp / 2< 180 / 2< 200 / 2> ACK /" +
			"> REFER|Refer-To: <sip:[field3]@DOMAIN?Replaces=REPLACES2> / ? 2< BYE, > 200 / < 202 / < NOTIFY|~100 Trying / > 200 /" +
			"< NOTIFY|~terminated;reason=noresource.*200 OK / > 200 / " + byed,
	},
	{
		name: "semi-attended transfer", b: answered + " / " + told + " / " + byed, c: "< INVITE / > 180 / = 500 / > 200+sdp / < ACK / " + told + " / = 500 / " + bye,
		a: calling + " / > INVITE+hold / < 200 / > ACK / 2> call to [field3]+sdp / 2< 180 /" +
			"> REFER|Refer-To: <sip:[field3]@DOMAIN?Replaces=REPLACES2> / ? 2< 487, 2> ACK! / < 202 / < NOTIFY|~100 Trying / > 200 / < NOTIFY|~180 Ringing / > 200 /" +
			"< NOTIFY|~terminated;reason=noresource.*200 OK / > 200 / " + byed,
	},
	{
		name: "a call taken to another phone", b: answered + " / < INFO / > 200 / " + byed, // A's own, by INVITE with Replaces
		a: calling + " / 2> call+sdp|Replaces: REPLACES1 / ? < BYE, > 200 / 2< 200 / 2> ACK / . / 2> INFO|+text / 2< 200 / 2> BYE / 2< 200",
	},
	{
		name: "a call picked up", a: calling + " / " + byed, // by another phone of the same user
		b: "< INVITE / > 180 / = 100 / 2> call+sdp|Replaces: REPLACES1;early-only / ? < CANCEL|~Reason: .*elsewhere, > 200 / 2< 200 / 2> ACK / . /" +
			"> 487 INVITE / < ACK / 2> BYE / 2< 200",
	},
	{
		name: "a call that cannot be taken", b: answered + " / " + byed,
		a: calling + " / 2> call+sdp|Replaces: nobody;to-tag=a;from-tag=b / 2< 481 / 2> ACK! / 2> call+sdp|Replaces: REPLACES1;early-only / 2< 486 / 2> ACK! / " + bye,
	},
}

// slow are the flows of one phone that need a session timer to run out: the shortest
// there is, 90 s. A phone that holds owes no audio.
var slow = []flow{
	{
		name: "session not refreshed", // by who was to: 32 s before its end
		a:    timed("uac", "") + "< BYE|~Reason: / > 200",
	},
	{
		name: "session refreshed by the switch",
		a:    timed("uas", "|Allow: INVITE, ACK, BYE, UPDATE") + "< UPDATE|~Session-Expires: 90;refresher=uac / > 200|Require: timer|Session-Expires: 90;refresher=uac / " + bye,
	},
	{
		name: "changes that cross", // RFC 3261 14.1: both refused, ours tried again
		a: timed("uas", "|Allow: INVITE, ACK, BYE") + "< INVITE / > INVITE+hold / < 491 / > ACK! / > 491 INVITE / < ACK /" +
			"< INVITE / > 200+silent|Require: timer|Session-Expires: 90;refresher=uac / < ACK / " + bye,
	},
}

func timed(refresher, fields string) string {
	return "> call to *43+silent|Supported: timer|Session-Expires: 90;refresher=" + refresher + fields +
		" / < 200|~Session-Expires: 90;refresher=" + refresher + " / > ACK / "
}
