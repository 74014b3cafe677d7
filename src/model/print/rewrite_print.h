#ifndef MODEL_PRINT_REWRITE_PRINT_H
#define MODEL_PRINT_REWRITE_PRINT_H

#include "base/builder.h"
#include "model/rewrite.h"

/* What an operation of a program does, and the line's end. */
void rewrite_print_operation(struct builder *out, const struct operation *operation);

#endif
