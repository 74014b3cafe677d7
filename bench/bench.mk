# bench: hawser, nginx, haproxy and a bare relay, one after another; tables and plots in build/bench.
# make bench CASES="echo-64 poll" ROUNDS=1 chooses; bench/run --help lists what there is.
BENCH_SHARED = $(BUILD)/bench/tool.o $(BUILD)/bench/frame.o
BENCH_TOOLS = $(BUILD)/bench/load $(BUILD)/bench/echo $(BUILD)/bench/relay $(BUILD)/bench/seal
$(BUILD)/bench/load: $(patsubst %,$(BUILD)/bench/%.o,load scene talk web crowd watch report histogram) $(BENCH_SHARED)
	@$(CC) $(LDFLAGS) -o $@ $^
$(BUILD)/bench/echo: $(BUILD)/bench/echo.o $(BENCH_SHARED)
	@$(CC) $(LDFLAGS) -o $@ $^ -lcrypto
$(BUILD)/bench/relay: $(BUILD)/bench/relay.o $(BENCH_SHARED)
	@$(CC) $(LDFLAGS) -o $@ $^
$(BUILD)/bench/seal: $(patsubst %,$(BUILD)/bench/%.o,seal watch report histogram) $(BENCH_SHARED)
	@$(CC) $(LDFLAGS) -o $@ $^ -lssl -lcrypto
bench-tools: $(BENCH_TOOLS)
bench: deps-bench
	+@$(MAKE) --no-print-directory bench-tools $(if $(MAIN),hawser)
	@bench/run --tools $(BUILD)/bench --out build/bench $(if $(ROUNDS),--rounds $(ROUNDS)) $(CASES)
.PHONY: bench bench-tools
-include $(wildcard $(BUILD)/bench/*.d)
