package cordpair

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// wantedBuffer is the socket buffer a SIP listener asks for (design section 6).
const wantedBuffer = 4 << 20

func examineBuffer() Finding {
	const what, file = "socket buffer", "/proc/sys/net/core/rmem_max"
	text, err := os.ReadFile(file)
	if err != nil {
		return Finding{what, Note, err.Error()}
	}
	limit, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return Finding{what, Note, err.Error()}
	}
	if limit < wantedBuffer {
		return Finding{what, Warn, fmt.Sprintf("the kernel grants %d bytes of %d; sysctl -w net.core.rmem_max=%d", limit, wantedBuffer, wantedBuffer)}
	}
	return Finding{what, Good, strconv.Itoa(limit) + " bytes"}
}

// examineFiles compares the limit of open files with what full use would take.
func examineFiles(cfg Config) Finding {
	const what = "open files"
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return Finding{what, Note, err.Error()}
	}
	return judgeFiles(limit.Cur, portsOf(cfg))
}
