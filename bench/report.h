#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "histogram.h"

/* One JSON object on one line of stdout. Names are the program's own words and need no escaping. */

void report_open(void);
void report_number(const char *name, double value);
void report_count(const char *name, uint64_t value);
void report_text(const char *name, const char *value);
/* NAME_p50_us, NAME_p99_us and NAME_max_us; without a name p50_us and so on. */
void report_latency(const char *name, const struct histogram *latency);
void report_close(void);

#endif
