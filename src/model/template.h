#ifndef MODEL_TEMPLATE_H
#define MODEL_TEMPLATE_H

#include "base/arena.h"
#include "model/variable.h"

/* Text with variables in it, compiled: "http://$host:8080" has three parts. */
struct template_part {
    struct str text; /* literal, when variable.id is VARIABLE_NONE */
    struct variable variable;
};

struct template {
    struct template_part *parts;
    size_t count;
};

static inline bool template_is_empty(const struct template *t) {
    return t->count == 0;
}

/* The whole text, when it has no variable. */
bool template_is_literal(const struct template *t, struct str *text);
/* A template that is just this text; false without memory. */
bool template_literal(struct template *t, struct str text, struct arena *arena);

#endif
