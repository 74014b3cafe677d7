#ifndef MAIN_RELOAD_H
#define MAIN_RELOAD_H

#include "main/process.h"

/* Reads the configuration anew and puts it in force on every loop. When anything is wrong with it all stays as
 * it was, and the log says why. */
void reload_run(struct process *process);

#endif
