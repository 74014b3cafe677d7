# make            builds ./hawser
# make run        a Socket.IO demo behind hawser on :8080 (UPSTREAMS="http://..." serves those instead)
# make test       everything; make check: what takes under a minute
# V=release|debug|asan|tsan chooses the kind of build, each in a tree of its own.

V ?= release
CC = gcc
BUILD = build/$(V)
PREFIX ?= /usr/local

CPPFLAGS = -Isrc -D_GNU_SOURCE -MMD -MP
WARNINGS = -Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wvla -Wformat=2 -Wundef -Wcast-qual \
  -Wstrict-prototypes -Wmissing-prototypes -Wimplicit-fallthrough=5 -Wwrite-strings -Wduplicated-cond -Wlogical-op -Walloca
CFLAGS_release = -O2 -g -flto=auto -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
LDFLAGS_release = -flto=auto -O2 -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,-z,defs -Wl,--as-needed
CFLAGS_debug = -Og -g
CFLAGS_asan = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
LDFLAGS_asan = -fsanitize=address,undefined
CFLAGS_tsan = -O1 -g -fsanitize=thread
LDFLAGS_tsan = -fsanitize=thread
CFLAGS = -std=c11 $(WARNINGS) -fno-strict-aliasing -fPIE -pthread $(CFLAGS_$(V))
LDFLAGS = -pthread $(LDFLAGS_$(V))
LIBS = -lssl -lcrypto -lpcre2-8 -ljansson -lz

SOURCES = $(wildcard src/*/*.c src/*/*/*.c)
OBJECTS = $(SOURCES:%.c=$(BUILD)/%.o)
MAIN = $(filter $(BUILD)/src/main/%,$(OBJECTS))
PARTS = $(filter-out $(MAIN),$(OBJECTS))

all: hawser
hawser: $(BUILD)/hawser
	@ln -sf $< $@
$(BUILD)/hawser: $(OBJECTS)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# tests/unit: each test_NAME.c is a program of its own (cmocka)
UNITS = $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*/test_*.c))
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(PARTS)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka
unit: $(UNITS)
	@for test in $(UNITS); do $$test || exit 1; done

clean:
	rm -rf build hawser
.PHONY: all unit clean
.SECONDARY:
-include $(OBJECTS:.o=.d)
