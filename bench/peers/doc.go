// Package peers starts what the bench measures, each in a process of its own in
// its place: the switch, Kamailio as registrar and stateful proxy, rtpengine in
// user space, and the C relay that is the kernel's limit.
//
// Its owner is the bench. Every peer listens on the loopback only, keeps its
// files in the folder it is given and is gone once Stop has returned. A peer whose
// program is missing is ErrNotInstalled, which is no failure of a run.
//
//	k, err := peers.Kamailio(ctx, peers.Setting{Dir: dir, Phones: 100})
//	defer k.Stop()
package peers
