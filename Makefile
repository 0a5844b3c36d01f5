# make        format check, vet, staticcheck, unit tests (with -race where gcc is)
# make run    build and start the demo in demo/; needs Go and make only
# make test   everything: the above, then the simulation at its full size and the
#             system tests with real phones
# make bench  the figures of bench/README.md; ARGS="-quick" is a sanity run
# make fuzz   every fuzz target for FUZZTIME
# make soak   the long sizes
# make microbench  Go benchmarks    make fmt   format the code
# make cross  everything, tests too, compiles for other systems; a minute for each

FUZZTIME ?= 30s
BENCH    ?= .
RACE     := $(if $(shell command -v gcc),-race)
GOFMT    := $(shell go env GOROOT)/bin/gofmt

.PHONY: check build run test vet cross unit simulate system bench microbench fuzz soak fmt clean

check: vet unit

build:
	CGO_ENABLED=0 go build -trimpath -o bin/ ./cmd/...

run: build
	./bin/cordpair demo --data-dir demo/data --phones-dir demo/phones --sipp-dir demo/sipp $(ARGS)

test: check simulate system

vet:
	@bad=$$($(GOFMT) -l .); test -z "$$bad" || { echo "not formatted (make fmt):" $$bad; exit 1; }
	go vet -tags system,soak ./...
	go tool staticcheck -tags system,soak ./...

cross:
	for system in windows darwin freebsd; do GOOS=$$system go vet ./... || exit 1; done

unit:
	go test $(RACE) -timeout 8m ./...

# Without the race detector: 1,000 seeds instead of 100, and 5,000 calls that leave nothing.
simulate:
	go test -run '^(TestSimulation|TestNothingGrows)$$' -count 1 -timeout 8m .

system:
	@.ci/tools
	go test -tags system -count 1 -timeout 10m ./bench/system ./media/browsertest

bench:
	go run ./bench $(ARGS)

microbench:
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./...

fuzz:
	@.ci/fuzz $(FUZZTIME)

soak:
	@.ci/tools
	go test -tags system,soak -count 1 -timeout 1h -v ./bench/system
	RAPID_CHECKS=20000 go test $(RACE) -tags soak -count 1 -timeout 100h ./...
	$(MAKE) fuzz FUZZTIME=10m

fmt:
	$(GOFMT) -w .

clean:
	rm -rf bin demo
