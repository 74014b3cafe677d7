#ifndef MODEL_REGEX_H
#define MODEL_REGEX_H

#include "base/arena.h"

/* A compiled regular expression: PCRE2 with JIT, UTF off, as nginx. Immutable; may be used by all threads. */
struct regex;

enum { REGEX_GROUPS_MAX = 10 };

struct regex_match {
    unsigned count; /* groups set, the whole match being group 0 */
    struct str groups[REGEX_GROUPS_MAX];
};

/* NULL on a bad pattern, with *error a text in the arena and *error_at its position. regex_free gives it back.
 */
struct regex *regex_new(struct str pattern, bool is_nocase, struct arena *arena, struct str *error,
                        size_t *error_at);
void regex_free(struct regex *regex);
/* match may be NULL. Groups are views into subject. Bounded by PCRE2's match limit: beyond it, no match. */
bool regex_matches(const struct regex *regex, struct str subject, struct regex_match *match);
/* Number of a named group, or 0. */
unsigned regex_group(const struct regex *regex, struct str name);

#endif
