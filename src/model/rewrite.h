#ifndef MODEL_REWRITE_H
#define MODEL_REWRITE_H

#include "base/vec.h"
#include "model/regex.h"
#include "model/template.h"

/* What set, if, rewrite, return and break of one level do: a program, run from its first operation on. The
 * operations of an `if` stand in the same list as those around it, as in nginx. */

struct route;

/* return CODE [TEXT|URL] */
struct local_answer {
    unsigned status;      /* 444, and without a text 408 and 499: close without an answer */
    struct template text; /* body, or Location for 301 302 303 307 308 */
};

enum condition_kind {
    CONDITION_VALUE, /* neither empty nor "0" */
    CONDITION_EQUAL,
    CONDITION_REGEX,
    CONDITION_FILE, /* a path names ... */
    CONDITION_DIRECTORY,
    CONDITION_EXISTS,
    CONDITION_EXECUTABLE
};

struct condition {
    enum condition_kind kind;
    bool is_negated;
    struct template subject; /* what is looked at; a path for the last four */
    struct template value;   /* EQUAL */
    struct regex *regex;     /* REGEX */
    struct str pattern;      /* its text, for rewrite_log */
};

struct rewrite {
    struct regex *regex;
    struct str pattern;
    struct template path; /* of the replacement, up to its '?'; for a redirect all of it */
    struct template args; /* behind it */
    bool has_args;        /* there is a '?' */
    bool keeps_args;      /* the request's are added: no '?' at the end */
    bool ends;            /* nothing behind it is run once it has matched */
    bool is_break;        /* and no location is looked for anew */
    unsigned status;      /* 301 or 302: a redirect; 0: none */
};

enum operation_kind { OPERATION_SET, OPERATION_IF, OPERATION_REWRITE, OPERATION_RETURN, OPERATION_BREAK };

struct operation {
    enum operation_kind kind;
    struct variable target; /* SET: a slot, or a built-in one that may be set */
    struct template value;  /* SET */
    struct condition condition;
    const struct route *route; /* IF in a location: what holds from there on; NULL in a server */
    size_t end;                /* IF: the operation to go on with when the condition does not hold */
    struct rewrite rewrite;
    struct local_answer answer; /* RETURN */
};

struct program {
    VEC(struct operation) operations;
};

#endif
