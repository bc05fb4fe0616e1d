# What plumb costs, beside others. Included by tests/tests.mk; tests/bench/README.md has the story.

BENCH := build/bench
bench_prog := $(addprefix $(BENCH)/,agent fill flow)
floors     := floor $(if $(shell command -v musl-gcc),floor-musl)
floor_prog := $(foreach f,$(floors),$(addprefix $(BENCH)/$(f)/,bridge ptp loopback host-local portmap firewall))
bench_cc    = @mkdir -p $(@D) && $(CC) -D_GNU_SOURCE $(our_c) $(CFLAGS) -static -pthread -o $@ $<
N     ?= 40
SUITES ?=
CASES ?=
PARTS ?=

.SECONDEXPANSION:
$(bench_prog): $(BENCH)/%: tests/bench/%.c tests/bench/message.h
	$(bench_cc)
$(BENCH)/floor-program: tests/bench/floor.c tests/bench/message.h
	$(bench_cc)
$(BENCH)/floor-musl-program: CC = musl-gcc -idirafter /usr/include -idirafter /usr/include/$(shell $(CC) -print-multiarch)
$(BENCH)/floor-musl-program: tests/bench/floor.c tests/bench/message.h
	$(bench_cc)
$(floor_prog): $(BENCH)/%: $$(BENCH)/$$(*D)-program
	@mkdir -p $(@D) && cp $< $@

.PHONY: bench-built
bench-built: all $(FIXTURE) $(bench_prog) $(floor_prog)

.PHONY: bench
bench: bench-built ## what plumb, its peers and the floor cost; N=runs SUITES="plumb reference" CASES="bridge full" PARTS="attach leases"
	@tests/bench/bench -n $(N) $(if $(SUITES),--suites "$(SUITES)") $(if $(CASES),--cases "$(CASES)") $(if $(PARTS),--parts "$(PARTS)")

.PHONY: bench-plot
bench-plot: ## the growth curves of the last `make bench` as tests/bench/growth.svg, where gnuplot is there
	@tests/bench/plot

.PHONY: profile
profile: bench-built ## where the time of an ADD goes: CASES="bridge", by system call and by function
	@tests/bench/profile $(B) $(or $(CASES),bridge)
