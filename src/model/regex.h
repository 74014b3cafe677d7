#ifndef MODEL_REGEX_H
#define MODEL_REGEX_H

#include "base/arena.h"
#include "base/vec.h"

/* A compiled regular expression: PCRE2 with JIT, UTF off, as nginx. Immutable; may be used by all threads. */
struct regex;

enum { REGEX_GROUPS_MAX = 20 };

struct regex_match {
    const struct regex *regex; /* that matched; NULL: none has */
    unsigned count;            /* groups set, the whole match being group 0 */
    struct str groups[REGEX_GROUPS_MAX];
};

/* A named group gives its text to a slot (model->slots) of the request whenever the expression has matched. */
struct regex_binding {
    unsigned group, slot;
};

/* NULL on a bad pattern, with *error a text in the arena and *error_at its position. regex_free gives it back.
 */
struct regex *regex_new(struct str pattern, bool is_nocase, struct arena *arena, struct str *error,
                        size_t *error_at);
void regex_free(struct regex *regex);
/* match may be NULL. Groups are views into subject. Bounded by PCRE2's match limit: beyond it, no match. */
bool regex_matches(const struct regex *regex, struct str subject, struct regex_match *match);
/* The n-th of its named groups, from 0, and its number; the empty view beyond the last. */
struct str regex_name(const struct regex *regex, unsigned n, unsigned *group);
/* Binds a named group to a slot; false without memory. The bindings live in the arena. */
bool regex_bind(struct regex *regex, struct regex_binding binding, struct arena *arena);
const struct regex_binding *regex_bindings(const struct regex *regex, size_t *count);

#endif
