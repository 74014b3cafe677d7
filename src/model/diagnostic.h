#ifndef MODEL_DIAGNOSTIC_H
#define MODEL_DIAGNOSTIC_H

#include "base/builder.h"
#include "base/vec.h"

#include <stdarg.h>

/* What is to be said of a configuration: gathered, never ended at the first. */

/* Where something stands. line 0: nowhere in particular. */
struct place {
    struct str file;
    unsigned line, column; /* from 1; the column counts bytes */
};

/* The "file" of what -g says. */
#define PLACE_COMMAND_LINE STR("command line")

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };

struct diagnostic {
    enum severity severity;
    struct place place;
    struct str text;   /* one sentence: what is wrong */
    struct str hint;   /* what to write instead, in lines; may be empty */
    struct str source; /* the whole source line it stands in, to be shown with a caret; may be empty */
};

enum { DIAGNOSTICS_MAX = 200 }; /* what is said beyond is counted and not kept */

struct diagnostics {
    struct arena *arena;
    VEC(struct diagnostic) list;
    size_t errors, warnings;
    struct diagnostic spare; /* what diagnostics_add gives when it cannot keep one */
};

void diagnostics_init(struct diagnostics *diagnostics, struct arena *arena);
/* Adds one; the format gives the text; text and file name are copied. Returns it so that a hint and source can
 * be set at once (the next addition may move it); without memory, or beyond DIAGNOSTICS_MAX, one that is not
 * kept. */
struct diagnostic *diagnostics_add(struct diagnostics *diagnostics, enum severity severity, struct place place,
                                   const char *format, ...) __attribute__((format(printf, 4, 5)));
struct diagnostic *diagnostics_add_list(struct diagnostics *diagnostics, enum severity severity,
                                        struct place place, const char *format, va_list list)
    __attribute__((format(printf, 4, 0)));
/* The hint: as printf, kept in the arena. */
void diagnostic_hint(struct diagnostics *diagnostics, struct diagnostic *diagnostic, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What nginx says behind the level and tools look for, without a line end: "text in nginx.conf:3". */
void diagnostic_print_line(struct builder *out, const struct diagnostic *diagnostic);
/* What is shown beneath that line: "  nginx.conf:3:5\n    source\n    ^\n  hint\n"; colour codes when asked. */
void diagnostic_print_picture(struct builder *out, const struct diagnostic *diagnostic, bool in_colour);
/* Both in one, the form that tests/conf keeps:
 * "nginx.conf:3:5: error: text\n    source\n    ^\n  hint\n"; colour codes when asked. Control characters are
 * shown as \xHH. What does not fit `out` is cut. */
void diagnostic_print(struct builder *out, const struct diagnostic *diagnostic, bool in_colour);
/* The candidate nearest to `word` if it is near enough to be meant (a third of the longer one's length, at
 * least one edit) or if it is the candidate with its beginning or end cut off; else empty. */
struct str diagnostic_nearest(struct str word, const struct str *candidates, size_t count);

#endif
