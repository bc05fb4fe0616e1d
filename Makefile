# plumb: CNI plugins. `make help` lists the targets.
#
# MODE=plain (default), san (ASan and UBSan), cov (coverage), fuzz (clang, with libFuzzer's coverage and both sanitizers), musl (plugins with musl, below);
# `make san check` is `make MODE=san check`. Objects and programs of a mode are in build/MODE.
# LINK=static (default where the archives are there) links plugins wholly statically; LINK=shared is for packagers.

VERSION    := 0.1.0
MODE       ?= $(or $(firstword $(filter san fuzz musl,$(MAKECMDGOALS))),plain)
PREFIX     ?= /usr/local
CNI_BIN_DIR ?= /opt/cni/bin
DESTDIR    ?=
PKG_CONFIG ?= pkg-config
FUZZ_CC    ?= clang

B       := build/$(MODE)
PLUGINS := $(sort $(basename $(notdir $(wildcard plugins/*.c))))
IPAM    := $(sort $(basename $(notdir $(wildcard ipam/*.c))))
ALL_PLUGINS := $(PLUGINS) $(IPAM)

# Commands are shown with V=1, their subjects without.
ifeq ($(V),)
  MAKEFLAGS += --silent
endif

# ---- Flags: the user's CFLAGS, CPPFLAGS and LDFLAGS are apart from ours ----

# What SECURITY.md tells of hardening; a flag that not every compiler knows is tried first.
cc_takes = $(shell printf '\043include <string.h>\nint main(void){return 0;}' | $(CC) -Werror $(1) -x c - -o /dev/null 2>/dev/null && echo '$(lastword $(1))')
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wundef -Wno-missing-field-initializers
our_cpp  := -D_GNU_SOURCE -Icommon -Iplugins -Iipam $(shell $(PKG_CONFIG) --cflags libnl-3.0)
our_c    := -std=gnu11 $(WARNINGS) -ffunction-sections -fdata-sections -fPIE -fstack-protector-strong -ffile-prefix-map=$(CURDIR)=. $(if $(CI),-Werror)
our_ld   := -Wl,--gc-sections -Wl,--as-needed -Wl,-z,relro,-z,now,-z,noexecstack

ifeq ($(MODE),san)
  our_c += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
  our_ld += -fsanitize=address,undefined
  LINK := shared
else ifeq ($(MODE),fuzz)
  CC := $(FUZZ_CC)
  our_cpp += -D__SANITIZE_ADDRESS__=1
  our_c += -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
  our_ld += -fsanitize=fuzzer-no-link,address,undefined
  LINK := shared
else ifeq ($(MODE),cov)
  our_c += --coverage -O0
  our_ld += --coverage
  LINK := shared
else ifeq ($(MODE),musl)
  # A process that glibc starts asks the processor for its features and caches by 68 CPUIDs, each of which traps to the hypervisor in a
  # virtual machine: 0.6 ms of it, before main. musl asks for none. Plugins only: what needs libnftables stays as it is.
  CC := musl-gcc
  LINK := static
  our_cpp := -D_GNU_SOURCE -Icommon -Iplugins -Iipam -isystem $(B)/libs/include
else
  our_cpp += $(if $(findstring -O0,$(CFLAGS)),,$(or $(call cc_takes,-O2 -D_FORTIFY_SOURCE=3),-D_FORTIFY_SOURCE=2))
  our_c += $(call cc_takes,-fstack-clash-protection)
endif

# Static archives are not shipped everywhere: ask the compiler once, by linking.
try_static = printf 'int main(void){return 0;}' | $(CC) -x c - -static -Wl,--no-as-needed -lnl-3 -ljansson -lpthread -lm -o /dev/null 2>/dev/null && echo static || echo shared
LINK ?= $(shell $(try_static))
ifeq ($(LINK),static)
  our_cpp += -DSTATIC_LINK
  plugin_ld   := $(or $(if $(filter-out musl,$(MODE)),$(call cc_takes,-fPIE -static-pie)),-static)
  plugin_libs := $(if $(filter musl,$(MODE)),-L$(B)/libs/lib -lnl-3 -ljansson,$(shell $(PKG_CONFIG) --static --libs libnl-3.0 jansson))
else
  plugin_ld   := -pie
  plugin_libs := $(shell $(PKG_CONFIG) --libs libnl-3.0 jansson)
endif
nft_libs = $(shell $(PKG_CONFIG) --libs libnftables)
helpers := plumb-ruleset $(shell $(PKG_CONFIG) --exists libsystemd 2>/dev/null && echo plumb-firewalld)

# ---- Objects ----

base_src := $(wildcard common/base/*.c)
os_src   := $(wildcard common/os/*.c)
cni_src  := $(filter-out common/cni/self.c common/cni/plugin.c,$(wildcard common/cni/*.c))
common_obj := $(patsubst %.c,$(B)/%.o,$(base_src) $(os_src) $(cni_src))
main_obj   := $(B)/common/cni/plugin.o
ipam_obj   := $(patsubst %.c,$(B)/%.o,$(wildcard ipam/*.c ipam/*/*.c))
own_obj     = $(patsubst %.c,$(B)/%.o,$(wildcard plugins/$(1).c plugins/$(1)/*.c ipam/$(1).c ipam/$(1)/*.c))
plumb_obj  := $(patsubst %.c,$(B)/%.o,$(wildcard plumb/*.c))

# The same sources give the same id: plugins of one build may run each other in process.
BUILD_ID := $(shell cat $(sort $(wildcard common/*/*.[ch] plugins/*.[ch] plugins/*/*.[ch] ipam/*.[ch] ipam/*/*.[ch])) Makefile 2>/dev/null | sha256sum | cut -c1-40)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all
all: $(ALL_PLUGINS:%=$(B)/bin/%) $(helpers:%=$(B)/bin/%) $(B)/bin/plumb

.PHONY: musl
musl: all ## the plugins with musl, in build/musl/bin: smaller, and sooner at work; needs musl-tools, and apt for two libraries' sources

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC    $<"
	$(CC) $(our_cpp) $(CPPFLAGS) $(our_c) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/self/%.o: common/cni/self.c $(wildcard common/*/*.[ch] plugins/*.c plugins/*/*.[ch] ipam/*.c ipam/*/*.[ch]) Makefile
	@mkdir -p $(@D)
	$(CC) $(our_cpp) $(CPPFLAGS) $(our_c) $(CFLAGS) -DPLUGIN_SELF='"$(filter-out multi,$*)"' -DBUILD_ID='"$(BUILD_ID)"' -DPLUMB_VERSION='"$(VERSION)"' -c -o $@ $<

link = echo "  LINK  $@" && $(CC) $(our_c) $(CFLAGS) $(our_ld) $(LDFLAGS)

# Interface plugins contain the address plugins, so that those can run in process; each address plugin is its own program too.
define plugin_rule
$(B)/bin/$(1): $(call own_obj,$(1)) $(if $(filter $(1),$(PLUGINS)),$(if $(wildcard plugins/$(1).c),$(shell grep -lq 'cni/ipam.h' plugins/$(1).c plugins/$(1)/*.c 2>/dev/null && echo $(ipam_obj)))) $(main_obj) $(common_obj) $(B)/self/$(1).o
	@mkdir -p $$(@D)
	$$(link) $$(plugin_ld) -o $$@ $$^ $$(plugin_libs)
endef
$(foreach p,$(ALL_PLUGINS),$(eval $(call plugin_rule,$(p))))

# All plugins in one file, which goes by the name that it is called by.
multi_obj := $(sort $(foreach p,$(ALL_PLUGINS),$(call own_obj,$(p))) $(ipam_obj))
$(B)/multi/plumb-plugins: $(multi_obj) $(main_obj) $(common_obj) $(B)/self/multi.o
	@mkdir -p $(@D)
	$(link) $(plugin_ld) -o $@ $^ $(plugin_libs)

.PHONY: multi
multi: all $(B)/multi/plumb-plugins ## all plugins as one file in build/MODE/multi, with a link for each name: the smallest suite
	for p in $(ALL_PLUGINS); do ln -sf plumb-plugins $(B)/multi/$$p; done
	cp $(helpers:%=$(B)/bin/%) $(B)/bin/plumb $(B)/multi/

ifeq ($(MODE),musl)
$(patsubst %.c,$(B)/%.o,$(wildcard common/*/*.c plugins/*.c plugins/*/*.c ipam/*.c ipam/*/*.c)): $(B)/libs/lib/libjansson.a
$(B)/libs/lib/libjansson.a: tools/musl-libs
	@echo "  LIBS  $(B)/libs"
	tools/musl-libs $(B)/libs
# Helpers and the command are those of the plain build.
$(helpers:%=$(B)/bin/%) $(B)/bin/plumb: $(B)/bin/%: FORCE
	@mkdir -p $(@D)
	$(MAKE) MODE=plain build/plain/bin/$*
	cmp -s build/plain/bin/$* $@ || cp build/plain/bin/$* $@
.PHONY: FORCE
FORCE:
else

# The helper that loads the ruleset: only it and plumb need libnftables.
$(B)/bin/plumb-ruleset: $(B)/plumb/ruleset/ruleset.o $(B)/plumb/ruleset/text.o
	@mkdir -p $(@D)
	$(link) -pie -o $@ $^ $(nft_libs)

$(B)/plumb/ruleset/text.o: plumb/ruleset/text.S spec/ruleset.nft spec/ruleset-bridge.nft
	@mkdir -p $(@D)
	$(CC) -c -o $@ $<

# The helper that speaks to firewalld. Left out where libsystemd is not there: the firewall plugin says so when it is asked for firewalld.
$(B)/bin/plumb-firewalld: $(patsubst %.c,$(B)/%.o,$(wildcard plumb/firewalld/*.c))
	@mkdir -p $(@D)
	$(link) -pie -o $@ $^ $(shell $(PKG_CONFIG) --libs libsystemd)

$(B)/bin/plumb: $(plumb_obj) $(common_obj) $(B)/self/plumb.o
	@mkdir -p $(@D)
	$(link) -pie -o $@ $^ $(shell $(PKG_CONFIG) --libs libnl-3.0 jansson)

endif

-include $(shell find $(B) -name '*.d' 2>/dev/null)
-include tests/tests.mk
-include tools/tools.mk

# ---- Everything else ----

.PHONY: install
install: all ## install plugins to CNI_BIN_DIR, the plumb command to PREFIX/bin, man pages, completion; with SYSTEMD=1 the units of contrib/ too
	install -d $(DESTDIR)$(CNI_BIN_DIR) $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(ALL_PLUGINS:%=$(B)/bin/%) $(helpers:%=$(B)/bin/%) $(DESTDIR)$(CNI_BIN_DIR)
	install -m 755 $(B)/bin/plumb $(DESTDIR)$(PREFIX)/bin
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man8
	install -m 644 plumb/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions
	install -m 644 contrib/completion/plumb.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/plumb
	install -m 644 contrib/completion/_plumb $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_plumb
	$(if $(filter 1,$(SYSTEMD)),$(install_units))

# The units name programs where they are installed by default.
define install_units
install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	for unit in contrib/*.service; do \
		sed 's,/usr/local/bin/,$(PREFIX)/bin/,; s,/opt/cni/bin/,$(CNI_BIN_DIR)/,' $$unit >$(DESTDIR)$(PREFIX)/lib/systemd/system/$${unit##*/}; \
	done
endef

.PHONY: layers
layers: ## check that includes point down only: plugins, ipam, plumb -> cni -> os -> base
	@! grep -nE '#include "(os|cni)/' common/base/*.[ch]
	@! grep -nE '#include "cni/' common/os/*.[ch]
	@! grep -rnE '#include "(\.\./|plugins/|ipam/|plumb/)' common plugins ipam plumb --include='*.[ch]'
	@! grep -lE '#include <jansson' -r common plugins ipam plumb --include='*.[ch]' | grep -v common/base/json.h
	@! grep -lE '#include <netlink/' -r common plugins ipam plumb --include='*.[ch]' | grep -v common/os/netlink
	@echo "layers: includes point down"

.PHONY: clean
clean: ## remove everything built
	rm -rf build

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'
