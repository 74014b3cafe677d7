#ifndef MAIN_WIRE_H
#define MAIN_WIRE_H

#include "base/log.h"

/* Where what a lower layer leaves open is filled with what a higher one has. */

/* A log that knows the time. `id`: 0 for the main thread, else the loop's number from 1. */
struct log wire_log(struct log_sink *sink, enum log_level level, unsigned id);

#endif
