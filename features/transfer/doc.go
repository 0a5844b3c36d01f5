// Package transfer holds the effects by which parties of a call go over to another
// conversation: a party that talks enters whom to transfer the other one to
// (Ask), a party that was transferred in vain goes back (Return), a caller takes
// the place of a leg elsewhere (TakeOver). What a transfer itself does is the
// business of call.Call; a REFER takes the same way.
//
// Each effect is one type in one file, whose comment is its manual. Ask runs as a
// leg script and drives its own party only; the others run in the script of their
// call. When the ctx ends they return at once.
//
//	out, err := transfer.TakeOver{TakeOverArgs: dialplan.TakeOverArgs{Leg: leg}}.Run(ctx, c)
package transfer
