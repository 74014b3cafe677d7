#include "loop/calendar.h"

struct tm calendar_local(uint64_t wall_s) {
    time_t seconds = (time_t)wall_s;
    struct tm local = {0};
    localtime_r(&seconds, &local);
    return local;
}
