package cordpair

import "runtime/debug"

// Version is the version of the module that this program was built with, "devel"
// for a build from a work tree.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
