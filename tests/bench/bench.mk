# What plumb costs, beside others. Included by tests/tests.mk; tests/bench/README.md has the story.

BENCH := build/bench
N     ?= 40
SUITES ?=
CASES ?=
PARTS ?=

bench_prog    := $(addprefix $(BENCH)/,agent fill flow)
floors        := floor $(if $(shell command -v musl-gcc),floor-musl)
floor_plugins := bridge ptp loopback host-local portmap firewall
floor_prog    := $(foreach f,$(floors),$(addprefix $(BENCH)/$(f)/,$(floor_plugins)))
musl_gcc      := musl-gcc -idirafter /usr/include -idirafter /usr/include/$(shell $(CC) -print-multiarch 2>/dev/null)
bench_flags    = -D_GNU_SOURCE $(our_c) $(CFLAGS) -static -pthread

$(bench_prog): $(BENCH)/%: tests/bench/%.c tests/bench/message.h
	@mkdir -p $(@D)
	$(CC) $(bench_flags) -o $@ $<
$(BENCH)/floor-program: tests/bench/floor.c tests/bench/message.h
	@mkdir -p $(@D)
	$(CC) $(bench_flags) -o $@ $<
$(BENCH)/floor-musl-program: tests/bench/floor.c tests/bench/message.h
	@mkdir -p $(@D)
	$(musl_gcc) $(bench_flags) -o $@ $<

define floor_rule
$(addprefix $(BENCH)/$(1)/,$(floor_plugins)): $(BENCH)/$(1)-program
	@mkdir -p $$(@D)
	cp $$< $$@
endef
$(foreach f,$(floors),$(eval $(call floor_rule,$(f))))

.PHONY: bench-built
bench-built: all $(FIXTURE) $(bench_prog) $(floor_prog)

.PHONY: bench
bench: bench-built ## what plumb, its peers and the floor cost; N=runs SUITES="plumb reference" CASES="bridge full" PARTS="attach leases"
	@tests/bench/bench -n $(N) $(if $(SUITES),--suites "$(SUITES)") $(if $(CASES),--cases "$(CASES)") $(if $(PARTS),--parts "$(PARTS)")

.PHONY: bench-plot
bench-plot: ## the growth curves of the last `make bench` as tests/bench/growth.svg, where gnuplot is there
	@tests/bench/plot

.PHONY: profile
profile: bench-built ## where the time of ADD and DEL goes, by system call and by function; CASES="bridge full"
	@tests/bench/profile $(B) $(or $(CASES),bridge)
