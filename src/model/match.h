#ifndef MODEL_MATCH_H
#define MODEL_MATCH_H

#include "model/diagnostic.h"
#include "model/regex.h"

/* A match block: what counts as a good answer to a health check. */

struct status_span {
    unsigned from, to; /* both included */
};

enum field_test { FIELD_PRESENT, FIELD_ABSENT, FIELD_EQUAL, FIELD_UNEQUAL, FIELD_LIKE, FIELD_UNLIKE };

struct match_field {
    struct str name;
    enum field_test test;
    struct str text;
    struct regex *regex; /* of LIKE and UNLIKE */
};

struct match {
    struct place place;
    struct str name;
    VEC(struct status_span) statuses; /* none: any status */
    bool is_status_negated;
    VEC(struct match_field) fields;
    struct regex *body; /* NULL: any */
    bool is_body_negated;
    struct str send;   /* TCP: said once connected */
    struct str expect; /* TCP: what is read must hold this; empty: nothing need be said */
    struct regex *expect_regex;
};

/* Is the status among those wanted? */
bool match_takes_status(const struct match *match, unsigned status);
/* Does a field with these values, joined, or none (NULL pointer) pass the test? */
bool match_field_holds(const struct match_field *field, struct str value);

#endif
