#ifndef MAIN_SERVE_H
#define MAIN_SERVE_H

#include "main/options.h"

/* Serves until a signal ends it. The exit code. */
int serve_run(const struct options *options);
/* -s: finds the running hawser by its pid file and sends it the signal. The exit code. */
int serve_signal(const struct options *options);

#endif
