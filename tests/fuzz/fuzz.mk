# make fuzz         each tests/fuzz/fuzz_NAME.c under libFuzzer, FUZZ_SECONDS one after the other; FUZZ="uri ws" chooses
# make fuzz-replay  the same over their corpora, tests/fuzz/corpus/NAME, with this V's compiler and sanitizers
FUZZ_SECONDS ?= $(or $(TIME),600)
FUZZ ?= $(sort $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_BUILD = build/fuzz
FUZZ_CC = clang
# Of what is freed AddressSanitizer keeps so much from use: with its usual 256 MiB all memory is cold.
FUZZ_ENVIRONMENT = ASAN_OPTIONS=quarantine_size_mb=16
FUZZ_CFLAGS = -std=c11 -DARENA_APART=1 -O1 -g -fno-omit-frame-pointer -fno-strict-aliasing -pthread \
  -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
# Those that compare each word with some hundred others: libFuzzer learns nothing from that, and it is most of the time.
FUZZ_UNTRACED = src/base/str.o src/dialect/nginx/reader.o src/model/diagnostic.o
$(FUZZ_UNTRACED:%=$(FUZZ_BUILD)/%): FUZZ_CFLAGS += -fno-sanitize-coverage=trace-cmp
FUZZ_OBJECTS = $(patsubst %.c,$(FUZZ_BUILD)/%.o,$(filter-out src/main/%,$(SOURCES)))
FUZZERS = $(FUZZ:%=$(FUZZ_BUILD)/fuzz_%)
REPLAYS = $(FUZZ:%=$(BUILD)/tests/fuzz/replay_%)

$(FUZZ_BUILD)/%.o: %.c tests/fuzz/fuzz.mk
	@mkdir -p $(@D)
	@echo "  fuzz $<"
	@$(FUZZ_CC) $(CPPFLAGS) $(FUZZ_CFLAGS) -c -o $@ $<
$(FUZZ_BUILD)/libhawser.a: $(FUZZ_OBJECTS)
	@rm -f $@
	@$(AR) rcs $@ $^
# The engine's stands in the simulated world, whose side of the seams comes before the library's.
FUZZ_WORLD = tests/fuzz/forget.o tests/sim/subject_engine.o $(SIM_WORLD:$(BUILD)/%=%)
$(FUZZ_BUILD)/tests/fuzz/forget.o: FUZZ_CFLAGS += -fno-sanitize=fuzzer-no-link
$(FUZZ_BUILD)/fuzz_engine: $(FUZZ_WORLD:%=$(FUZZ_BUILD)/%)
$(BUILD)/tests/fuzz/replay_engine: $(FUZZ_WORLD:%=$(BUILD)/%)
$(FUZZERS): $(FUZZ_BUILD)/%: $(FUZZ_BUILD)/tests/fuzz/%.o $(FUZZ_BUILD)/libhawser.a
	@$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -pthread -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)
$(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(LIBRARY)
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

# The words of nginx's language: what its reader compares with, and the variables.
$(FUZZ_BUILD)/nginx.dict: $(filter-out %/other.c %/refusal.c,$(wildcard src/dialect/nginx/*.c)) src/model/variable.def
	@mkdir -p $(@D)
	@{ sed '/^#/d' $(filter %.c,$^) | grep -o '"[a-z][a-z0-9_:/=-]*"'; \
	  sed -n 's/^VARIABLE.*"\(.*\)")/"$$\1"/p; s/^PREFIX.*"\(.*\)")/"$$\1a"/p' $(filter %.def,$^); } | sort -u >$@

# What a run finds new goes to build/fuzz/corpus, what breaks it to build/fuzz/NAME-crash-...
fuzz: $(FUZZERS) $(FUZZ_BUILD)/nginx.dict
	@for name in $(FUZZ); do \
	  mkdir -p $(FUZZ_BUILD)/corpus/$$name tests/fuzz/corpus/$$name; \
	  dictionary=$$(ls tests/fuzz/$$name.dict $(FUZZ_BUILD)/$$name.dict 2>/dev/null); \
	  echo "--- $$name, $(FUZZ_SECONDS) s"; \
	  $(FUZZ_ENVIRONMENT) $(FUZZ_BUILD)/fuzz_$$name -max_total_time=$(FUZZ_SECONDS) -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 \
	    -artifact_prefix=$(FUZZ_BUILD)/$$name- $${dictionary:+-dict=$$dictionary} \
	    $(FUZZ_BUILD)/corpus/$$name tests/fuzz/corpus/$$name >$(FUZZ_BUILD)/$$name.log 2>&1 \
	    || { tail -n 40 $(FUZZ_BUILD)/$$name.log; exit 1; }; \
	  tail -n 6 $(FUZZ_BUILD)/$$name.log; \
	done
fuzzers: $(FUZZERS)
fuzz-replay: $(REPLAYS)
	@tests/fuzz/replay $(REPLAYS)
.PHONY: fuzz fuzzers fuzz-replay
-include $(wildcard $(BUILD)/tests/fuzz/*.d $(FUZZ_BUILD)/tests/*/*.d) $(FUZZ_OBJECTS:.o=.d)
