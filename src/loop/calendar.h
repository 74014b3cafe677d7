#ifndef LOOP_CALENDAR_H
#define LOOP_CALENDAR_H

#include <stdint.h>
#include <time.h>

/* The local time that `wall_s`, seconds since 1970, stands for: the system's time zone, which is read from its
 * files at the first call. For texts only. */
struct tm calendar_local(uint64_t wall_s);

#endif
