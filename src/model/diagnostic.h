#ifndef MODEL_DIAGNOSTIC_H
#define MODEL_DIAGNOSTIC_H

#include "base/builder.h"
#include "base/vec.h"

/* What is to be said of a configuration: gathered, never ended at the first. */

/* Where something stands. line 0: nowhere in particular. */
struct place {
    struct str file;
    unsigned line, column; /* from 1 */
};

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };

struct diagnostic {
    enum severity severity;
    struct place place;
    struct str text;   /* one sentence: what is wrong */
    struct str hint;   /* what to write instead; may be empty */
    struct str source; /* the source line it stands in, to be shown with a caret; may be empty */
};

struct diagnostics {
    struct arena *arena;
    VEC(struct diagnostic) list;
    size_t errors, warnings;
};

void diagnostics_init(struct diagnostics *diagnostics, struct arena *arena);
/* Adds one; the format gives the text. Returns it so that a hint and source can be set; without memory, a
 * static one. */
struct diagnostic *diagnostics_add(struct diagnostics *diagnostics, enum severity severity, struct place place,
                                   const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The hint: as printf, kept in the arena. */
void diagnostic_hint(struct diagnostics *diagnostics, struct diagnostic *diagnostic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "nginx.conf:3:5: error: text\n    source\n    ^\n  hint\n"; colour codes when asked. What does not fit `out`
 * is cut. */
void diagnostic_print(struct builder *out, const struct diagnostic *diagnostic, bool in_colour);
/* The candidate nearest to `word` if it is near enough to be meant (a third of its length, at least one edit);
 * else empty. */
struct str diagnostic_nearest(struct str word, const struct str *candidates, size_t count);

#endif
