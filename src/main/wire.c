#include "main/wire.h"

#include "loop/clock.h"

struct log wire_log(struct log_sink *sink, enum log_level level, unsigned id) {
    return (struct log){.sink = sink, .level = level, .id = id, .wall_ms = clock_wall_ms};
}
