# make            builds ./hawser
# make run        a Socket.IO demo behind hawser on :8080 (PORT=... another port; UPSTREAMS="http://..." serves those instead)
# make test       everything; make check: what takes under a minute
# make bench      hawser beside nginx and HAProxy; make fuzz: the fuzzers, TIME=600 seconds each
# V=release|debug|asan|tsan chooses the kind of build, each in a tree of its own under build/.

V ?= release
CC = gcc
AR = gcc-ar
BUILD = build/$(V)
PREFIX ?= /usr/local
# For recipes that build: as many jobs as were asked for, else one for each core.
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
ifeq ($(filter $(V),release debug asan tsan),)
$(error V=$(V): release, debug, asan or tsan)
endif

CPPFLAGS = -Isrc -D_GNU_SOURCE -MMD -MP
WARNINGS = -Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wvla -Wformat=2 -Wundef -Wcast-qual \
  -Wstrict-prototypes -Wmissing-prototypes -Wimplicit-fallthrough=5 -Wformat-signedness -Wcast-align=strict \
  -Wwrite-strings -Wduplicated-cond -Wlogical-op -Walloca
# Left out, for they cost where every message passes: -ftrivial-auto-var-init=zero clears each frame's vectors and
# buffers on every call (uninitialised reads are the sanitizers' to find), -fzero-call-used-regs adds to each return.
HARDENING = -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
  -fno-delete-null-pointer-checks -fno-strict-overflow -fvisibility=hidden
CFLAGS_release = -O2 -g -flto=auto $(HARDENING)
LDFLAGS_release = -flto=auto -O2 -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,-z,defs -Wl,--as-needed
CFLAGS_debug = -Og -g
CFLAGS_asan = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,bounds-strict,float-cast-overflow -fno-sanitize-recover=all
LDFLAGS_asan = -fsanitize=address,undefined
CFLAGS_tsan = -O1 -g -fsanitize=thread
LDFLAGS_tsan = -fsanitize=thread
CFLAGS = -std=c11 $(WARNINGS) -fno-strict-aliasing -fPIE -pthread -ffile-prefix-map=$(CURDIR)=. $(CFLAGS_$(V))
LDFLAGS = -pthread $(LDFLAGS_$(V))
LIBS = -lssl -lcrypto -lpcre2-8 -ljansson -lcares -lcrypt -lz

SOURCES = $(wildcard src/*/*.c src/*/*/*.c)
OBJECTS = $(SOURCES:%.c=$(BUILD)/%.o)
MAIN = $(filter $(BUILD)/src/main/%,$(OBJECTS))
PARTS = $(filter-out $(MAIN),$(OBJECTS))
# Everything but main(), for tests: they link what they name and no more.
LIBRARY = $(BUILD)/libhawser.a

all: hawser compile_commands.json
hawser: $(BUILD)/hawser
	@ln -sfn $< $@
$(BUILD)/hawser: $(OBJECTS)
	@echo "  $(V) $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(LIBRARY): $(filter-out $(BUILD)/src/main/hawser.o,$(OBJECTS))
	@rm -f $@
	@$(AR) rcs $@ $^
$(BUILD)/src/admin/panel.o: src/admin/panel.html
$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  $(V) $<"
	@$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# For editors and clang-tidy.
COMPILED = $(SOURCES) $(wildcard tests/*/*.c tests/*/*/*.c bench/*.c)
compile_commands.json: Makefile $(COMPILED)
	@{ echo '['; for file in $(COMPILED); do \
	  echo '{"directory": "$(CURDIR)", "file": "'$$file'", "command": "$(CC) $(CPPFLAGS) $(CFLAGS) -c '$$file'"},'; \
	done | sed '$$s/,$$//'; echo ']'; } >$@

# Debian's packages, by what they are for; a quick look when all are there.
deps:
	@tools/deps build run test
deps-%:
	@tools/deps build $*
run:
	@tools/deps build $(if $(UPSTREAMS),,run)
	+@$(MAKE) --no-print-directory $(JOBS) hawser
	@PORT="$(PORT)" UPSTREAMS="$(UPSTREAMS)" tools/demo/run

# tests/unit: each test_NAME.c is a program of its own (cmocka). Under ThreadSanitizer only those with threads.
UNIT_SOURCES = $(wildcard tests/unit/*/test_*.c)
UNITS = $(patsubst %.c,$(BUILD)/%,$(if $(filter tsan,$(V)),$(shell grep -l pthread_create $(UNIT_SOURCES) /dev/null),$(UNIT_SOURCES)))
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(LIBRARY)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka
unit: $(UNITS)
	@tools/unit $(UNITS)
cli: $(BUILD)/hawser
	@tests/cli/run $<
e2e: hawser
	@tests/e2e/run

# Targets conf (golden configurations), scene and sim (the simulator; SEEDS=n), fuzz and fuzz-replay, bench.
fuzz: deps-fuzz
-include tests/conf/conf.mk tests/sim/sim.mk tests/fuzz/fuzz.mk bench/bench.mk

check: deps-test
	+@JOBS=$(JOBS) tools/suite check
test: deps-test
	+@JOBS=$(JOBS) tools/suite test

FORMATTED = $(wildcard $(addsuffix /*.[ch],src/* src/*/* tests/* tests/*/* bench tools))
format:
	clang-format -i $(FORMATTED)
check-format:
	@clang-format --dry-run -Werror $(FORMATTED)
check-layers check-limits:
	@tools/$@
check-headers:
	@tools/check-headers $(CC) $(CPPFLAGS:-M%=) -std=c11 -Wall -Wextra -Werror
check-pure: $(OBJECTS)
	@tools/check-pure $(BUILD)
states: $(BUILD)/tools/print-states
	@tools/insert-states $< ARCHITECTURE.md
check-states: $(BUILD)/tools/print-states
	@tools/insert-states $< ARCHITECTURE.md --check
$(BUILD)/tools/print-states: $(BUILD)/tools/print-states.o
	@$(CC) $(LDFLAGS) -o $@ $^
# docs/nginx-directives.md is printed from the directive tables.
directives: $(BUILD)/tools/print-directives
	@$< tools/nginx-directives >docs/nginx-directives.md
check-directives: $(BUILD)/tools/print-directives
	@$< tools/nginx-directives | cmp - docs/nginx-directives.md || { echo "make directives" >&2; exit 1; }
$(BUILD)/tools/print-directives: $(BUILD)/tools/print-directives.o $(LIBRARY)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

install: $(BUILD)/hawser
	install -D -m 755 $< $(DESTDIR)$(PREFIX)/sbin/hawser
	install -D -m 644 docs/hawser.8 $(DESTDIR)$(PREFIX)/share/man/man8/hawser.8
uninstall:
	rm -f $(DESTDIR)$(PREFIX)/sbin/hawser $(DESTDIR)$(PREFIX)/share/man/man8/hawser.8
clean:
	rm -rf build hawser compile_commands.json

.PHONY: all hawser deps run unit cli conf scene sim e2e check test bench fuzz fuzz-replay format states directives install uninstall clean \
  check-format check-layers check-limits check-headers check-pure check-states check-directives
.SECONDARY:
.DELETE_ON_ERROR:
-include $(OBJECTS:.o=.d) $(UNITS:=.d) $(wildcard $(BUILD)/tools/*.d)
