# make conf: configurations against what is to be understood of them; make conf-update writes that anew
CONF = $(BUILD)/tests/conf/run_conf
CONF_PARTS = $(patsubst %.c,$(BUILD)/%.o,$(wildcard src/base/*.c src/model/*.c src/model/*/*.c src/dialect/*.c src/dialect/*/*.c))
CONF_DIRECTORIES = tests/conf tests/conf/seeds

$(CONF): $(BUILD)/tests/conf/run_conf.o $(CONF_PARTS)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
conf: $(CONF)
	@$(CONF) $(CONF_DIRECTORIES)
	@sed -n '/^```nginx/,/^```/p' docs/configuration.md | sed '1d;$$d' | cmp - tests/conf/example.conf
conf-update: $(CONF)
	@$(CONF) -u $(CONF_DIRECTORIES)
.PHONY: conf conf-update
-include $(CONF).d
