#ifndef MAIN_SUMMARY_H
#define MAIN_SUMMARY_H

#include "model/model.h"

#include <stdio.h>

/* What was understood, in one line a listener and upstream. */
void summary_print(FILE *to, const struct model *model);
/* What the one-liner serves and where, and where its status page is: a line each. */
void summary_print_short(FILE *to, const struct model *model);

#endif
