#ifndef MAIN_REPORT_H
#define MAIN_REPORT_H

#include "base/log.h"
#include "main/options.h"
#include "model/diagnostic.h"

/* What is found while a configuration is read and put in force, and how it is told: on the standard error in
 * nginx's form with the source line beneath, in logs in nginx's form. */
struct report {
    const struct options *options;
    struct arena_pool pool;
    struct arena arena;
    struct diagnostics diagnostics;
    struct log_sink *sink; /* of -e; NULL: it was not given */
};

/* Opens the error log of -e, in which errors stand even when the configuration cannot be read. */
void report_init(struct report *report, const struct options *options);
void report_fini(struct report *report);
/* To the standard error what is at least as severe as `least`, and all of it to `log` (NULL: to -e's). What was
 * told is not told again. */
void report_tell(struct report *report, enum severity least, const struct log *log);
/* All of it into a log that nobody watches as it happens. */
void report_log(const struct report *report, const struct log *log);

/* Who speaks: lines about a file in nginx's language begin as nginx's do, for the tools that read them. */
const char *report_name(const struct options *options);

#endif
