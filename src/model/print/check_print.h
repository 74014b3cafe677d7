#ifndef MODEL_PRINT_CHECK_PRINT_H
#define MODEL_PRINT_CHECK_PRINT_H

#include "model/check.h"

/* One line of canonical text for a check, without its indentation. */
void check_print(struct builder *out, const struct check *check);

#endif
