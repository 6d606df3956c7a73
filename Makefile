# Foyer. `make help` tells what there is.
VERSION = 0.1.0
BUILD ?= build
CC ?= gcc
PREFIX ?= /usr/local
DESTDIR ?=
JAVASCRIPT ?= /usr/share/javascript

LIBRARIES = libmosquitto sqlite3 libmicrohttpd libcjson inih libsystemd zlib
DAEMONS = node-agent collector webd

WARNINGS = -Wall -Wextra -Wshadow -Wconversion $(if $(WERROR),-Werror)
HARDENING = -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2
SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
OPTIMIZE = $(if $(SAN),-O1 $(SANITIZERS),-O2 $(HARDENING))
CPPFLAGS += -D_GNU_SOURCE -DFOYER_VERSION='"$(VERSION)"' -DFOYER_PREFIX='"$(PREFIX)"'
override CFLAGS += -std=gnu17 -g $(OPTIMIZE) $(WARNINGS) -ffunction-sections -fdata-sections
override LDFLAGS += -Wl,--gc-sections -Wl,--as-needed $(if $(SAN),$(SANITIZERS),-pie -Wl,-z,relro,-z,now)
LIBS = $(shell pkg-config --libs $(LIBRARIES)) -lm
OBJ = $(BUILD)/obj$(if $(SAN),-san)$(if $(filter clang%,$(CC)),-clang)

common_OBJS = $(patsubst %.c,$(OBJ)/%.o,$(wildcard common/*.c))
node-agent_OBJS = $(patsubst %.c,$(OBJ)/%.o,$(wildcard node-agent/*.c node-agent/drivers/*.c))
collector_OBJS = $(patsubst %.c,$(OBJ)/%.o,$(wildcard collector/*.c))
webd_OBJS = $(patsubst %.c,$(OBJ)/%.o,$(wildcard webd/*.c))
UNIT_TESTS = $(patsubst tests/unit/%.c,$(OBJ)/tests/%,$(wildcard tests/unit/test_*.c))
PROGRAMS = $(addprefix $(BUILD)/,$(DAEMONS))
WEB = $(BUILD)/web

SOURCES = $(wildcard common/*.[ch] node-agent/*.[ch] node-agent/drivers/*.[ch] collector/*.[ch] webd/*.[ch] tests/unit/*.[ch])

all: $(PROGRAMS) web

help:
	@echo 'make                 builds build/node-agent, build/collector, build/webd'
	@echo 'make SAN=1           the same with address and undefined behaviour sanitizers'
	@echo 'make demo            a whole house, simulated; PORT=8080 chooses the port, DEMO_SECONDS=20 ends it'
	@echo 'make check           builds and runs all tests; ends with N passed, N failed'
	@echo 'make check-unit      the unit tests alone'
	@echo 'make lint            clang-tidy, cppcheck and the rules of the house'
	@echo 'make format          lays out the sources by clang-format'
	@echo 'make deps            installs what is missing from the packages in config/packages'
	@echo 'make install         PREFIX=/usr/local DESTDIR=; make uninstall takes it away'
	@echo 'make compile_commands.json   for editors'
	@echo 'make clean           removes the build folder'

# A change of compiler or flags builds anew.
STAMP = $(OBJ)/flags
FLAGS_NOW = $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)
$(STAMP): always
	@mkdir -p $(@D)
	@printf '%s\n' "$$FLAGS_NOW" | cmp -s - $@ || printf '%s\n' "$$FLAGS_NOW" > $@
export FLAGS_NOW

$(OBJ)/%.o: %.c $(STAMP)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(OBJ)/common.a: $(common_OBJS)
	@rm -f $@
	@ar rcs $@ $^

define DAEMON
$(BUILD)/$(1): $$($(1)_OBJS) $(OBJ)/common.a $(STAMP)
	$$(CC) $$($(1)_OBJS) $(OBJ)/common.a $$(CFLAGS) $$(LDFLAGS) $$(LIBS) -o $$@
endef
$(foreach daemon,$(DAEMONS),$(eval $(call DAEMON,$(daemon))))

# A test names the rooms it stands on in its first line: /* links: webd/render.c */
test_links = $(patsubst %.c,$(OBJ)/%.o,$(shell sed -n '1s|^/\* links: \(.*\) \*/$$|\1|p' $(1)))
define UNIT_TEST
$(OBJ)/tests/$(1): $(OBJ)/tests/unit/$(1).o $(call test_links,tests/unit/$(1).c) $(OBJ)/common.a
	@mkdir -p $$(@D)
	$$(CC) $$^ $$(CFLAGS) $$(LDFLAGS) $$(LIBS) -lcmocka -o $$@
endef
$(foreach test,$(notdir $(UNIT_TESTS)),$(eval $(call UNIT_TEST,$(test))))

# What the browser gets: ours by link, Chart.js by Debian's.
web:
	@mkdir -p $(WEB)/javascript
	@ln -sfn $(abspath web/templates) $(WEB)/templates
	@ln -sfn $(abspath web/static) $(WEB)/static
	@ln -sfn $(abspath web/strings) $(WEB)/strings
	@ln -sfn $(JAVASCRIPT)/chart.js/chart.min.js $(WEB)/javascript/chart.min.js

unit-tests: $(UNIT_TESTS)

deps:
	@sh config/packages.sh build run

check:
	@sh config/packages.sh build run test
	$(MAKE) SAN=1 WERROR=1 all unit-tests
	@BUILD='$(BUILD)' OBJ='$(BUILD)/obj-san' tests/run

check-unit:
	$(MAKE) SAN=1 WERROR=1 unit-tests
	@BUILD='$(BUILD)' OBJ='$(BUILD)/obj-san' tests/run unit

lint: compile_commands.json
	@sh config/packages.sh build lint
	@BUILD='$(BUILD)' tests/lint

format:
	clang-format -i $(SOURCES)

demo:
	@sh config/packages.sh build run
	$(MAKE) all
	@BUILD='$(BUILD)' config/demo/run

compile_commands.json: $(STAMP)
	@{ echo '['; first=1; for file in $(filter %.c,$(SOURCES)); do \
		[ $$first ] || echo ','; first=; \
		printf '{"directory":"%s","file":"%s","command":"cc %s -c %s"}' '$(CURDIR)' "$$file" \
			"$$(printf '%s' '$(CPPFLAGS) -std=gnu17 $(WARNINGS)' | sed 's/"/\\\\\\"/g')" "$$file"; \
	done; echo ']'; } > $@

include config/install.mk

clean:
	rm -rf $(BUILD) compile_commands.json

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

.PHONY: all help always web unit-tests deps check check-unit lint format demo clean
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
