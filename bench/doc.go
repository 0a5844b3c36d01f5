// Command bench measures the switch and its peers on this machine, in one run:
// what a registration, an OPTIONS, a call, a relayed packet and doing nothing
// cost, by the CPU time that the process itself has used.
//
// Everything measured runs on one core, the load on another, in processes of
// their own that end with the bench; all traffic is on the loopback and bounded.
// Kamailio and rtpengine are measured where they are installed, the C relay where
// gcc is. Out comes one table (or JSON); a figure that the load has reason to
// doubt is marked, and the reasons stand below.
//
//	go run ./bench                                  # everything, three rounds
//	go run ./bench -quick                           # small sizes, under a minute
//	go run ./bench -only calls,relay -peers=false   # two sections of the switch alone
//	go run ./bench -json > figures.json
//	go run ./bench -demo demo.json -pid 4711        # a switch that runs already
//
// The bench owns its processes and folders. It imports nothing of the product.
package main
