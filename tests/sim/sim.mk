# The simulator. make sim SEEDS=n plays n worlds in two processes; make scene: the world's own tests and the
# scripted scenes.
SEEDS ?= 2000
SEED_FROM ?= 1
SIM_WORLD = $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/sim/sim.c tests/sim/toy.c tests/sim/subject_engine.c \
  $(wildcard tests/sim/test_*.c),$(wildcard tests/sim/*.c)))
# These headers the world implements itself: the system's side is not linked.
SIM_PARTS = $(filter-out $(patsubst %,$(BUILD)/src/%.o,base/mem loop/clock loop/random loop/poller net/socket net/file \
  net/resolver net/nameserver net/password_helper) $(BUILD)/src/main/%,$(OBJECTS))
SIM_TOY_PARTS = $(filter $(patsubst %,$(BUILD)/src/%.o,base/% loop/loop loop/timer net/address net/duct net/password net/tls% net/why codec/%),$(SIM_PARTS))

$(BUILD)/tests/sim/sim: $(BUILD)/tests/sim/sim.o $(BUILD)/tests/sim/subject_engine.o $(SIM_WORLD) $(SIM_PARTS)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)
$(BUILD)/tests/sim/test_world: $(BUILD)/tests/sim/test_world.o $(BUILD)/tests/sim/toy.o $(SIM_WORLD) $(SIM_TOY_PARTS)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

sim: $(BUILD)/tests/sim/sim
	@tests/sim/run $< $(SEED_FROM) $(SEEDS)
$(BUILD)/tests/scene/test_scene: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/scene/*.c)) \
  $(BUILD)/tests/sim/subject_engine.o $(SIM_WORLD) $(SIM_PARTS)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka
SCENES = $(BUILD)/tests/sim/test_world $(BUILD)/tests/scene/test_scene
scene: $(SCENES)
	@tools/unit $(SCENES)

-include $(patsubst %.c,$(BUILD)/%.d,$(wildcard tests/sim/*.c tests/scene/*.c))
