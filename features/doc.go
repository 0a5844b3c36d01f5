// Package features is the table of what a call can be told to do: the name of a
// step and the effect that performs it. The effects live in one folder each
// below this one and never import each other; they reach one another by step
// name only. README.md says how to add one.
//
//	registry := call.NewRegistry(call.Config{Effects: features.New() /* … */})
package features
