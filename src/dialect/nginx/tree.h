#ifndef DIALECT_NGINX_TREE_H
#define DIALECT_NGINX_TREE_H

#include "dialect/nginx/reader.h"

enum { TREE_DEPTH_MAX = 32, TREE_INCLUDES_MAX = 16, TREE_FILES_MAX = 1000 };

/* The whole configuration under one nameless root, includes replaced by what they name. All that is wrong with
 * words and braces is said in the reader's diagnostics. NULL without memory. */
struct node *tree_read(struct reader *reader);

#endif
