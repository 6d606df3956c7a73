# Foyer. `make help` tells what there is.
VERSION = 0.1.0
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
JAVASCRIPT ?= /usr/share/javascript
ifeq ($(origin CC),default)
CC = gcc
endif

# The tests want the programs with sanitizers and without a warning, those under QEMU as they are installed. Said here, so that no make
# has to call another.
GOAL_IS = $(filter $(1),$(MAKECMDGOALS))
ifneq ($(filter-out check-hardware,$(call GOAL_IS,check check-%)),)
SAN = 1
WERROR = 1
endif

LIBRARIES = libmosquitto sqlite3 libmicrohttpd libcjson inih libsystemd zlib gnutls libcrypt
DAEMONS = node-agent collector webd

# The node's own library, 1.6 or 2.x: node-agent/gpio_v1.c and gpio_v2.c see by the header which of them is meant. Another one, unpacked
# somewhere: make GPIOD_CFLAGS=-I/somewhere/include GPIOD_LIBS='-L/somewhere/lib -lgpiod'
GPIOD_CFLAGS ?=
GPIOD_LIBS ?= $(shell pkg-config --libs libgpiod)
node-agent_LIBS = $(GPIOD_LIBS)

WARNINGS = -Wall -Wextra -Wshadow -Wconversion $(if $(WERROR),-Werror)
HARDENING = -fstack-protector-strong -fPIE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
OPTIMIZE = $(if $(SAN),-O1 $(SANITIZERS),-O2 $(HARDENING))
override CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DFOYER_VERSION='"$(VERSION)"' -DFOYER_PREFIX='"$(PREFIX)"' $(GPIOD_CFLAGS)
override CFLAGS += -std=gnu17 -g $(OPTIMIZE) $(WARNINGS) -ffunction-sections -fdata-sections
override LDFLAGS += -Wl,--gc-sections -Wl,--as-needed $(if $(SAN),$(SANITIZERS),-pie -Wl,-z,relro,-z,now)
LIBS = $(shell pkg-config --libs $(LIBRARIES)) -lm

# Objects with and without sanitizers have a folder each; the programs are in one place and are linked anew when it changes.
OBJ = $(BUILD)/obj$(if $(SAN),-san)
objects = $(patsubst %.c,$(OBJ)/%.o,$(wildcard $(1)))
common_OBJS = $(call objects,common/*.c)
node-agent_OBJS = $(call objects,node-agent/*.c node-agent/drivers/*.c)
foyerctl_OBJS = $(call objects,collector/foyerctl.c collector/ctl_*.c collector/settings.c)
collector_OBJS = $(filter-out $(OBJ)/collector/foyerctl.o $(OBJ)/collector/ctl_%.o,$(call objects,collector/*.c))
webd_OBJS = $(call objects,webd/*.c)
UNIT_TESTS = $(patsubst tests/unit/%.c,$(OBJ)/tests/%,$(wildcard tests/unit/test_*.c))
PROGRAMS = $(addprefix $(BUILD)/,$(DAEMONS) foyerctl)
SOURCES = $(wildcard $(addsuffix /*.[ch],common node-agent node-agent/drivers collector webd tests/unit tests/fakes tests/bench))

# Short lines: "CC common/wire.c". `make V=1` shows the commands.
Q = $(if $(V),,@)
say = $(if $(V),,printf '%-4s %s\n' $(1) $(2);)

all: $(PROGRAMS) web compile_commands.json

help:
	@echo 'make                 builds build/node-agent, build/collector, build/webd, build/foyerctl'
	@echo 'make SAN=1           the same with address and undefined behaviour sanitizers'
	@echo 'make demo            a whole house, simulated; PORT=8080 chooses the port, DEMO_SECONDS=20 ends it'
	@echo 'make check           builds and runs all tests; ends with N passed, N failed'
	@echo 'make check-unit      the unit tests alone; TEST=lm75 runs tests/unit/test_lm75.c'
	@echo 'make check-hardware  the node agent on simulated chips of a real kernel, under QEMU; HARDWARE="amd64 arm64 armhf" (tests/hardware)'
	@echo 'make check-chaos     everything is killed, cut off and filled for CHAOS_SECONDS=120; CHAOS_SEED repeats a run (tests/chaos)'
	@echo 'make bench           what it costs and how fast it is, beside others (tests/bench); BENCH_SECONDS=4 BENCH_ROWS=4000000 BENCH_REPEATS=3'
	@echo 'make lint            clang-tidy, cppcheck, layout and the rules of the house'
	@echo 'make format          lays out the sources by clang-format'
	@echo 'make deps            installs what is missing of the packages in config/packages.sh'
	@echo 'make install         PREFIX=/usr/local DESTDIR=; make uninstall takes it away'
	@echo 'make compile_commands.json   for editors; make builds it too'
	@echo 'make clean           removes the build folder'
	@echo
	@echo 'BUILD=/somewhere builds elsewhere, CC=clang with another compiler, WERROR=1 ends at a warning, V=1 shows the commands.'

# ---- programs ------------------------------------------------------------------------------------------------------------------------

# A change of compiler or flags builds anew: OBJ/flags is touched when they are not what they were, BUILD/linked when the programs
# there are of the other kind.
export FLAGS_NOW = $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)
define REMEMBER_FLAGS
	@mkdir -p $(@D)
	@printf '%s\n' "$$FLAGS_NOW" | cmp -s - $@ || printf '%s\n' "$$FLAGS_NOW" > $@
endef
$(OBJ)/flags: always | libraries
	$(REMEMBER_FLAGS)
$(BUILD)/linked: always
	$(REMEMBER_FLAGS)

libraries: | $(if $(call GOAL_IS,deps check check-% demo bench lint),packages)
	@pkg-config --exists $(LIBRARIES) $(if $(filter file,$(origin GPIOD_LIBS)),libgpiod) || \
		{ echo 'Libraries are missing: "make deps" installs them.' >&2; exit 1; }

$(OBJ)/%.o: %.c $(OBJ)/flags
	@mkdir -p $(@D)
	$(Q)$(call say,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(OBJ)/common.a: $(common_OBJS)
	$(Q)rm -f $@; $(call say,AR,$@)ar rcs $@ $^

define PROGRAM
$(BUILD)/$(1): $$($(1)_OBJS) $(OBJ)/common.a $(BUILD)/linked
	$$(Q)$$(call say,LINK,$$@)$$(CC) $$(filter %.o %.a,$$^) $$(CFLAGS) $$(LDFLAGS) $$(LIBS) $$($(1)_LIBS) -o $$@
endef
$(foreach program,$(DAEMONS) foyerctl,$(eval $(call PROGRAM,$(program))))

# A test names the rooms it stands on in its first line: /* links: webd/render.c */
test_links = $(patsubst %.c,$(OBJ)/%.o,$(shell sed -n '1s|^/\* links: \(.*\) \*/$$|\1|p' $(1)))
define UNIT_TEST
$(OBJ)/tests/$(1): $(OBJ)/tests/unit/$(1).o $(call test_links,tests/unit/$(1).c) $(OBJ)/common.a
	@mkdir -p $$(@D)
	$$(Q)$$(call say,LINK,$$@)$$(CC) $$^ $$(CFLAGS) $$(LDFLAGS) $$(LIBS) -lcmocka -o $$@
endef
$(foreach test,$(notdir $(UNIT_TESTS)),$(eval $(call UNIT_TEST,$(test))))

unit-tests: $(UNIT_TESTS)

# The tools of tests/bench name theirs in the same way.
define BENCH_TOOL
$(OBJ)/bench/$(1): $(OBJ)/tests/bench/$(1).o $(call test_links,tests/bench/$(1).c) $(OBJ)/common.a
	@mkdir -p $$(@D)
	$$(Q)$$(call say,LINK,$$@)$$(CC) $$^ $$(CFLAGS) $$(LDFLAGS) $$(LIBS) -o $$@
endef
BENCH_TOOLS = $(patsubst tests/bench/%.c,%,$(wildcard tests/bench/*.c))
$(foreach tool,$(BENCH_TOOLS),$(eval $(call BENCH_TOOL,$(tool))))

# What the browser gets: ours by link, Chart.js by Debian's.
web: $(addprefix $(BUILD)/web/,templates static strings openapi.json javascript/chart.min.js)
$(BUILD)/web/javascript/chart.min.js:
	@mkdir -p $(@D)
	@ln -sfn $(JAVASCRIPT)/chart.js/chart.min.js $@
$(BUILD)/web/%:
	@mkdir -p $(@D)
	@ln -sfn $(abspath web/$*) $@

# For editors and clang-tidy.
export EDITOR_FLAGS = $(subst ",\",$(CPPFLAGS) -std=gnu17 $(filter-out -Werror,$(WARNINGS)))
compile_commands.json: always
	@for file in $(filter %.c,$(SOURCES)); do \
		printf '{"directory":"%s","file":"%s","command":"cc %s -c %s"}\n' '$(CURDIR)' $$file "$$EDITOR_FLAGS" $$file; \
	done | sed '1s/^/[/; $$!s/$$/,/; $$s/$$/]/' > $@.$$$$; cmp -s $@.$$$$ $@ && rm $@.$$$$ || mv $@.$$$$ $@

# ---- goals ---------------------------------------------------------------------------------------------------------------------------

# Groups of config/packages.sh, for the goals that install by themselves what they need.
PACKAGES = build $(if $(call GOAL_IS,deps),run) $(if $(call GOAL_IS,check check-%),run test) \
	$(if $(call GOAL_IS,check-hardware),hardware) $(if $(call GOAL_IS,lint),lint) \
	$(if $(call GOAL_IS,demo bench),run) $(if $(call GOAL_IS,bench),bench)
packages:
	@sh config/packages.sh $(PACKAGES)
deps: packages

check: all unit-tests
	@BUILD='$(BUILD)' OBJ='$(OBJ)' tests/run

check-unit: $(if $(TEST),$(OBJ)/tests/test_$(TEST),unit-tests)
	@BUILD='$(BUILD)' OBJ='$(OBJ)' tests/run $(if $(TEST),tests/unit/test_$(TEST).c,unit)

HARDWARE = amd64 arm64
check-hardware: $(BUILD)/node-agent
	@BUILD='$(BUILD)' tests/hardware/run $(HARDWARE)

check-chaos: all
	@BUILD='$(BUILD)' node tests/chaos/run.mjs

bench: all $(addprefix $(OBJ)/bench/,$(BENCH_TOOLS))
	@BUILD='$(BUILD)' OBJ='$(OBJ)' node tests/bench/bench.mjs

lint: compile_commands.json libraries
	@tests/lint

format:
	@clang-format -i $(SOURCES)

demo: all
	@BUILD='$(BUILD)' exec config/demo/run

include config/install.mk

clean:
	rm -rf $(BUILD) compile_commands.json

-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)

.PHONY: all help always libraries packages web unit-tests deps check check-unit check-chaos bench lint format demo clean
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
