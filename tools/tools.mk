# The demo, and what looks at the code without running it. Included by the Makefile.

.PHONY: demo
demo: all $(FIXTURE) ## see the main job at work, in a throwaway world
	@demo/run $(B)

.PHONY: picture
picture: all $(FIXTURE) ## draw the demo's network: docs/app-network.svg, which the readme shows
	@mkdir -p docs
	@demo/picture $(B) docs/app-network.svg
	@echo docs/app-network.svg

# ---- lint: every file through two compilers, gcc's analyzer and clang-tidy; all of them together through cppcheck ----
#
# What a file passed is remembered in build/lint, so the next run looks only at what has changed. LINT_CC=gcc-14 and the like try others.

LINT_CC    ?= gcc
LINT_CLANG ?= clang
LINT_TIDY  ?= clang-tidy

lint_ours := common plugins ipam plumb netns-fixtures
lint_dirs := $(lint_ours) tests
lint_src  := $(shell find $(lint_dirs) -name '*.c')
lint_head := $(shell find $(lint_dirs) -name '*.h')
lint_cpp   = $(our_cpp) -I. -Itests/lib -Inetns-fixtures -DPLUGIN_SELF='"x"' -DBUILD_ID='"x"' -DPLUMB_VERSION='"x"' -DDATA='"x"'

# Not among them, since they find nothing wrong here and much that is right:
#   -Wconversion                    netlink's fields have 8 and 16 bits; what goes in is bounded where it is read
#   -Wcast-qual, -Wwrite-strings    jansson's reference counts and exec's argv are not const
#   -Wcast-align=strict             netlink's own macros align what they point to
#   -Wswitch-enum                   a default is a word; -Wswitch, in -Wall, speaks up where there is none
#   -Wmissing-field-initializers    what a struct's initializer does not name is 0, and meant to be
#   -Wanalyzer-null-dereference     clang's analyzer, in clang-tidy, looks for the same and sees more
# clang's -Wunused-variable has its place in gcc's: a guard that only its cleanup reads is unused in clang's eyes.
# Tests do without the analyzer: what it would find in them fails when they run.
lint_warn := -Wall -Wextra -Wshadow -Wformat=2 -Wno-format-nonliteral -Wstrict-prototypes -Wmissing-prototypes -Wmissing-declarations \
	-Wold-style-definition -Wredundant-decls -Wnested-externs -Wpointer-arith -Wundef -Wvla -Walloca -Wdouble-promotion \
	-Wimplicit-fallthrough -Wno-missing-field-initializers -Werror
lint_gcc   = $(lint_warn) -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wnull-dereference -Wjump-misses-init -Wtrampolines -Wunused-macros \
	$(if $(filter tests/%,$<),,-fanalyzer -Wno-analyzer-null-dereference)
lint_clang = $(lint_warn) -Wassign-enum -Wbool-conversion -Wunreachable-code -Wmissing-variable-declarations -Wno-unused-variable

lint_man  := $(wildcard plumb/*.1 man/*.8)

.PHONY: lint
lint: $(lint_src:%.c=build/lint/%.ok) build/lint/cppcheck.ok build/lint/man.ok ## clang-tidy, cppcheck, gcc -fanalyzer, many warnings of both compilers; mandoc
	@echo "lint: $(words $(lint_src)) files are clean"

build/lint/%.ok: %.c $(lint_head) .clang-tidy tests/.clang-tidy tools/tools.mk
	@mkdir -p $(@D)
	@echo "  lint $<"
	@$(LINT_CC) $(lint_cpp) -std=gnu11 -O2 $(lint_gcc) -c -o /dev/null $<
	@$(LINT_CLANG) $(lint_cpp) -std=gnu11 -O2 $(lint_clang) -c -o /dev/null $<
	@$(LINT_TIDY) --quiet $< -- $(lint_cpp) -std=gnu11 2>$@.log || { cat $@.log; exit 1; }
	@touch $@

# Tests are beyond cppcheck: it does not follow their macros.
build/lint/cppcheck.ok: $(lint_src) $(lint_head) tools/cppcheck-suppressions tools/tools.mk
	@mkdir -p $(@D)
	@echo "  cppcheck $(lint_ours)"
	@cppcheck --quiet --enable=warning,style,performance,portability --std=c11 --error-exitcode=1 --library=posix \
		--suppressions-list=tools/cppcheck-suppressions $(filter-out -I/% -isystem,$(lint_cpp)) '-Djson_array_foreach(array,i,item)=for (;;)' \
		'-Djson_object_foreach(object,key,value)=for (;;)' $(lint_ours)
	@touch $@

# Which other manuals are installed is no matter of ours.
build/lint/man.ok: $(lint_man) tools/tools.mk
	@mkdir -p $(@D)
	@echo "  mandoc man pages"
	@command -v mandoc >/dev/null || { echo "lint: no mandoc here; sudo ./bootstrap lint installs it" >&2; exit 1; }
	@! mandoc -T lint $(lint_man) 2>/dev/null | grep -v 'referenced manual not found'
	@touch $@

.PHONY: graph
graph: ## draw who includes whom, layer by layer: build/graph.dot, and build/graph.svg where graphviz is there
	@mkdir -p build
	@tools/graph >build/graph.dot
	@if command -v dot >/dev/null; then dot -Tsvg -o build/graph.svg build/graph.dot && echo "build/graph.svg"; \
	else echo "build/graph.dot (no SVG: dot, of graphviz, is not there)"; fi

.PHONY: runtimes
runtimes: all $(FIXTURE) ## containers of podman and containerd on our plugins, where those are installed
	@BIN=$(CURDIR)/$(B)/bin FIXTURE=$(CURDIR)/$(FIXTURE) prove --comments --exec '' $(wildcard tests/runtimes/*.sh)
