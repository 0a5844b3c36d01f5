package api

import (
	"testing"

	"github.com/cordpair/cordpair/api/auth"
)

// A stream goes on only while its reader reaches what it began with (H4).
func TestStreamsEndWithTheReach(t *testing.T) {
	w := newWorld(t)
	group := principal(auth.LevelGroup, 1)
	group.GroupID = 100
	w.tokens["sales"] = group
	w.do("PUT", "/client/1/extension/11", "client", `{"extension_group_id":100}`)
	row, _ := w.memory.Extension(11)
	one := &caller{extension: row}
	client, _ := w.memory.Client(1)
	whole := &caller{client: client}
	may := func(token string, c *caller) bool {
		return w.server.stillMay(request("GET", "/", token, ""), c)
	}
	if !may("sales", one) || !may("client", one) || !may("extension", one) || !may("client", whole) {
		t.Fatal("the streams do not begin")
	}
	if may("other", one) || may("other", whole) || may("sales", whole) || may("extension", whole) || may("nobody", one) {
		t.Error("a stream of somebody else")
	}
	w.do("PUT", "/client/1/extension/11", "client", `{"extension_group_id":null}`)
	if may("sales", one) || !may("client", one) {
		t.Error("the extension left the group, its reader reads on")
	}
	w.do("DELETE", "/client/1/extension/11", "client", "")
	if may("client", one) {
		t.Error("the extension is gone, its reader waits on")
	}
}
