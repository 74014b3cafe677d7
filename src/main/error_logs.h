#ifndef MAIN_ERROR_LOGS_H
#define MAIN_ERROR_LOGS_H

#include "main/options.h"
#include "model/model.h"

/* The program's own error logs: what the configuration names at its top, else -e, else the standard error. */
struct error_logs {
    size_t count;
    struct log logs[]; /* a chain, the most talkative first; they know the time */
};

/* Opens all. NULL on an error, which is said. */
struct error_logs *error_logs_open(const struct options *options, const struct model *model,
                                   struct diagnostics *diagnostics);
/* NULL is allowed. */
void error_logs_close(struct error_logs *logs);
/* Opens the files anew, under their names: after rotation. What could not be is said in the first. */
void error_logs_reopen(struct error_logs *logs);
/* Is one of them the standard error? */
bool error_logs_have_stderr(const struct options *options, const struct model *model);

#endif
