//go:build !linux || !(amd64 || arm64)

package media

func (r *rig) drained(*loop) bool { return true }
