#ifndef DIALECT_NGINX_TREE_H
#define DIALECT_NGINX_TREE_H

#include "dialect/nginx/lexer.h"

struct reader;
struct directive;

/* A directive as written: its words, the name first, and for a block what stands in it. Lives in the reader's
 * scratch arena; its texts in the model's. */
struct node {
    struct word *words;
    size_t count; /* at least 1 */
    bool is_block;
    struct node *parent, *first, *last, *next;
    const struct directive *row; /* what the tables say of it; NULL: it is not to be read */
};

enum { TREE_DEPTH_MAX = 32, TREE_INCLUDES_MAX = 16, TREE_FILES_MAX = 1000 };

/* The whole configuration under one nameless root, includes replaced by what they name. All that is wrong with
 * words and braces is said in the reader's diagnostics. NULL without memory. */
struct node *tree_read(struct reader *reader);

static inline struct str node_name(const struct node *node) {
    return node->words[0].text;
}

#endif
