# Tests, and the worlds that they run in. Included by the Makefile.
#
# tests/unit/*.c    one program each, with cmocka: pure code, no root
# tests/plugin/*.c  one program each, with tests/lib: the plugins of build/MODE/bin in worlds (netns-fixtures)
# tests/plugin/*.sh scripts that print TAP; BIN is build/MODE/bin
# tests/fuzz/*.c    one program each: what libFuzzer attacks (make fuzz); in `check` it runs over its corpus (tests/fuzz/fuzz.mk)
# tests/conform/    one program: every plugin against every requirement of spec/requirements.md; so tests/golden/: rulesets to the letter
# tests/crash/      every plugin and verb, stopped at every system call (make crash); a soak (make soak); broken hosts. `check` has samples of them
# TESTS="pattern…" runs the tests whose program's name has the pattern; JOBS programs run at once, each up to two tests.

T := $(B)/tests
JOBS  ?= 2
TESTS ?=

test_pkgs    := libmnl libnftables jansson
fixture_prog := $(patsubst %.c,$(B)/netns-fixtures/%.o,netns-fixture.c hold.c registry.c)
fixture_obj  := $(filter-out $(fixture_prog),$(patsubst %.c,$(B)/%.o,$(wildcard netns-fixtures/*.c)))
test_lib_obj := $(patsubst %.c,$(B)/%.o,$(wildcard tests/lib/*.c)) $(fixture_obj)
unit_prog    := $(patsubst tests/%.c,$(T)/%,$(wildcard tests/unit/*.c))
plugin_prog  := $(patsubst tests/%.c,$(T)/%,$(wildcard tests/plugin/*.c))
plugin_sh    := $(wildcard tests/plugin/*.sh tests/conform/*.sh tests/crash/*.sh)
suite_prog   := $(foreach s,conform golden,$(if $(wildcard tests/$(s)/*.c),$(T)/$(s)/$(s)))
FIXTURE      := $(B)/netns-fixtures/netns-fixture

$(T)/%.o: our_cpp += -I. -Itests/lib -Inetns-fixtures -DDATA='"tests/unit/data"'

# All pure code for unit tests, each taking what it names: the plugins' too, with another name for main.
unit_lib_obj := $(common_obj) $(ipam_obj) $(patsubst %.c,$(B)/%.o,$(wildcard plugins/*/*.c)) $(filter-out $(B)/plumb/plumb.o,$(plumb_obj)) \
	$(T)/plugin_main.o $(B)/self/multi.o
$(T)/plugin_main.o: common/cni/plugin.c Makefile
	@mkdir -p $(@D)
	$(CC) $(our_cpp) $(CPPFLAGS) $(our_c) $(CFLAGS) -Wno-missing-prototypes -Dmain=plugin_main -MMD -MP -c -o $@ $<
$(T)/libunit.a: $(unit_lib_obj)
	@rm -f $@
	@$(AR) rcs $@ $^
$(unit_prog): $(T)/%: $(T)/%.o $(T)/libunit.a
	$(link) -o $@ $^ $(shell $(PKG_CONFIG) --libs cmocka libnl-3.0 jansson)

$(plugin_prog): $(T)/%: $(T)/%.o $(test_lib_obj)
	$(link) -o $@ $^ $(shell $(PKG_CONFIG) --libs $(test_pkgs))

suite_obj = $(patsubst %.c,$(B)/%.o,$(wildcard tests/$(1)/*.c))
$(T)/conform/conform: $(call suite_obj,conform) $(test_lib_obj)
$(T)/golden/golden: $(call suite_obj,golden) $(test_lib_obj)
$(suite_prog):
	$(link) -o $@ $^ $(shell $(PKG_CONFIG) --libs $(test_pkgs))

# tests/crash: `at` and `without` need nothing; `crash` has a main of its own beside the library.
crash_prog   := $(T)/crash/at $(T)/crash/crash $(T)/crash/soak $(T)/crash/hosts $(T)/crash/without
crash_check  := $(T)/crash/hosts $(T)/crash/soak
crash_obj     = $(patsubst %,$(B)/tests/crash/%.o,$(1))
$(T)/crash/at: $(call crash_obj,at calls)
$(T)/crash/crash: $(call crash_obj,crash point scenario calls) $(filter-out %/runner.o,$(test_lib_obj))
$(T)/crash/without: $(call crash_obj,without)
$(T)/crash/hosts: $(call crash_obj,hosts) $(test_lib_obj)
$(T)/crash/soak: $(call crash_obj,soak) $(test_lib_obj)
$(crash_prog):
	$(link) -o $@ $^ $(shell $(PKG_CONFIG) --libs $(test_pkgs))

$(FIXTURE): $(fixture_prog) $(fixture_obj)
	$(link) -o $@ $^ $(shell $(PKG_CONFIG) --libs libmnl)

include tests/fuzz/fuzz.mk

# ---- Targets ----

# A sanitizer ends a program with a code that no plugin uses; tests/lib looks for its words on stderr, too.
TESTED ?= $(CURDIR)/$(B)/bin
test_env = BIN=$(TESTED) PLUMB_BIN=$(TESTED) FIXTURE=$(CURDIR)/$(FIXTURE) CMOCKA_MESSAGE_OUTPUT=TAP \
	$(if $(filter san,$(MODE)),TEST_TIMEOUT=600) ASAN_OPTIONS=exitcode=99:abort_on_error=0:detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
chosen = $(if $(TESTS),$(foreach t,$(TESTS),$(foreach p,$(1),$(if $(findstring $(t),$(notdir $(p))),$(p)))),$(1))
run_tests = $(test_env) prove --jobs $(JOBS) --comments --failures --exec 'timeout -k 5 1800' $(call chosen,$(1))

.PHONY: check
check: all tests-built ## every test; TESTS="ptp bridge" for some, MODE=san with sanitizers
	@$(call run_tests,$(unit_prog) $(fuzz_prog) $(plugin_prog) $(suite_prog) $(crash_check) $(plugin_sh))

.PHONY: unit
unit: $(unit_prog) ## tests of pure code
	@$(call run_tests,$(unit_prog))

.PHONY: plugin-tests
plugin-tests: all tests-built ## tests of the plugins in the kernel
	@$(call run_tests,$(plugin_prog) $(plugin_sh))

.PHONY: conform
conform: all $(suite_prog) ## every plugin against every requirement of the specification, as a table of lines
	@tests/conform/matrix $(T)/conform/conform $(TESTS)

.PHONY: tests-built
tests-built: $(crash_prog) $(unit_prog) $(fuzz_prog) $(plugin_prog) $(suite_prog) $(FIXTURE) ## build every test, run none

.PHONY: crash
crash: all $(crash_prog) ## each plugin and verb at each of its system calls, which takes hours; CRASH='-k 50 "bridge ADD"' for some
	@$(test_env) $(T)/crash/crash -j $(JOBS) $(CRASH)

.PHONY: soak
soak: all $(crash_prog) ## 64 containers come and go at once for S seconds, against a model
	@$(test_env) SOAK_SECONDS=$(or $(S),60) TEST_TIMEOUT=$$(( $(or $(S),60) * 3 + 120 )) $(T)/crash/soak -v

.PHONY: check-users
check-users: ## every test in user namespaces, as without root
	WORLD_USERNS=1 $(MAKE) check

.PHONY: san
san: check ## every test with AddressSanitizer and UBSan

.PHONY: check-musl
check-musl: ## every test, of the plugins that `make musl` made
	$(MAKE) MODE=musl all
	$(MAKE) MODE=plain check TESTED=$(CURDIR)/build/musl/bin

.PHONY: netns-fixture
netns-fixture: $(FIXTURE) ## the program to hold worlds open and enter them

-include tests/bench/bench.mk
