#ifndef DIALECT_NGINX_NODE_H
#define DIALECT_NGINX_NODE_H

#include "dialect/nginx/lexer.h"

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

static inline struct str node_name(const struct node *node) {
    return node->words[0].text;
}

#endif
