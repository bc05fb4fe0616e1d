# Fuzzing. Included by tests/tests.mk.
#
# A file of tests/fuzz is a target; tests/fuzz/corpus/TARGET has its inputs: real ones, and those that have found something. In MODE=fuzz a target is a
# libFuzzer program (clang), in the others it runs over its corpus: so every machine's `make check` tries every input.
# FUZZ="netlink result" chooses targets, FUZZ_S=600 says how many seconds each runs. What is found is in build/fuzz/found, what has been learnt in
# build/fuzz/corpus. `make fuzz-keep` adds to the corpus in the repository what covers more.

FUZZ   ?=
FUZZ_S ?= 60

fuzz_prog    := $(patsubst tests/%.c,$(T)/%,$(wildcard tests/fuzz/*.c))
fuzz_lib_obj := $(patsubst %.c,$(B)/%.o,$(filter-out $(if $(filter fuzz,$(MODE)),%/replay.c),$(wildcard tests/fuzz/lib/*.c))) $(T)/plumb_main.o
fuzz_plugins := $(patsubst %.c,$(B)/%.o,$(wildcard plugins/*.c ipam/*.c))

$(T)/plumb_main.o: plumb/plumb.c Makefile
	@mkdir -p $(@D)
	$(CC) $(our_cpp) $(CPPFLAGS) $(our_c) $(CFLAGS) -Wno-missing-prototypes -Dmain=plumb_main -MMD -MP -c -o $@ $<
$(T)/libfuzz.a: $(fuzz_lib_obj)
	@rm -f $@
	@$(AR) rcs $@ $^
# Its library comes first: what it has stands in for plumb's own.
$(fuzz_prog): $(T)/%: $(T)/%.o $(fuzz_plugins) $(T)/libfuzz.a $(T)/libunit.a
	$(link) $(if $(filter fuzz,$(MODE)),-fsanitize=fuzzer) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(shell $(PKG_CONFIG) --libs libnl-3.0 jansson)

fuzz_chosen = $(if $(FUZZ),$(foreach f,$(FUZZ),$(foreach p,$(fuzz_prog),$(if $(findstring $(f),$(notdir $(p))),$(p)))),$(fuzz_prog))

.PHONY: fuzz
fuzz: $(fuzz_prog) ## attack every parser with libFuzzer; FUZZ="result netlink" for some, FUZZ_S=60 seconds each
	@tests/fuzz/run $(B) $(FUZZ_S) $(sort $(notdir $(fuzz_chosen)))

.PHONY: fuzz-keep
fuzz-keep: ## add to tests/fuzz/corpus what `make fuzz` has found to cover more
	@$(MAKE) MODE=fuzz fuzz-programs
	@tests/fuzz/keep build/fuzz $(sort $(notdir $(fuzz_chosen)))

# Programs of MODE=cov are linked dynamically: a recorder under them writes down what the kernel answers to the plugins in the tests.
.PHONY: fuzz-record
fuzz-record: ## add to build/fuzz/corpus what this kernel answers in the tests of plugins
	@$(MAKE) MODE=cov build/cov/tests/fuzz-record.so all tests-built
	@tests/fuzz/record/run build/cov build/fuzz/corpus
$(T)/fuzz-record.so: tests/fuzz/record/record.c
	@mkdir -p $(@D)
	$(CC) $(our_cpp) $(WARNINGS) -std=gnu11 -O1 -fPIC -shared -o $@ $< -ldl

.PHONY: fuzz-programs
fuzz-programs: $(fuzz_prog)
