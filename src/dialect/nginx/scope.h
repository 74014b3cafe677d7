#ifndef DIALECT_NGINX_SCOPE_H
#define DIALECT_NGINX_SCOPE_H

#include "dialect/nginx/reader.h"

/* What all areas of the language share: the tables' rows, and the level being read. */

enum context { /* bits: the blocks a directive may stand in */
               CONTEXT_MAIN = 1,
               CONTEXT_EVENTS = 2,
               CONTEXT_HTTP = 4,
               CONTEXT_UPSTREAM = 8,
               CONTEXT_SERVER = 16,
               CONTEXT_LOCATION = 32,
               CONTEXT_SERVER_IF = 64, /* "if" in a server: what changes the request, and nothing else */
               CONTEXT_LOCATION_IF = 128,
               CONTEXT_STREAM = 256, /* "tcp" is the same */
               CONTEXT_STREAM_SERVER = 512,
               CONTEXT_LIMIT = 1024, /* limit_except */
               CONTEXT_ANY = 2047
};
#define CONTEXT_HSL (CONTEXT_HTTP | CONTEXT_SERVER | CONTEXT_LOCATION)
#define CONTEXT_STREAMS (CONTEXT_STREAM | CONTEXT_STREAM_SERVER)
#define CONTEXT_HSLI (CONTEXT_HSL | CONTEXT_LOCATION_IF)

enum { /* of a row */
       DIRECTIVE_BLOCK = 1,
       DIRECTIVE_ONCE = 2,   /* a second one in the same block is an error, as in nginx */
       DIRECTIVE_FIRST = 4,  /* defines what others name: read before the rest of its block */
       DIRECTIVE_LAST = 8,   /* opens a level that inherits: read behind the rest of its block */
       DIRECTIVE_EITHER = 16 /* with or without a block */
};

enum { ARGUMENTS_ANY = 255 };

enum object { OBJECT_NONE, OBJECT_MODEL, OBJECT_POLICY, OBJECT_SITE, OBJECT_UPSTREAM };

struct scope;

struct directive {
    const char *name;
    unsigned contexts;
    uint8_t min, max; /* arguments */
    uint8_t flags;
    void (*handler)(struct scope *scope, const struct node *node, const struct directive *row);
    enum object object; /* with offset: the member that a generic setter sets */
    size_t offset, bytes;
    const void *helper; /* a text, or the setter's own table */
};

struct area {
    const struct directive *rows;
    size_t count;
};

#define MEMBER(type, member) offsetof(type, member), sizeof(((type *)0)->member)
#define MODEL(member) OBJECT_MODEL, MEMBER(struct model, member)
#define POLICY(member) OBJECT_POLICY, MEMBER(struct policy, member)
#define SITE(member) OBJECT_SITE, MEMBER(struct site, member)
#define UPSTREAM(member) OBJECT_UPSTREAM, MEMBER(struct upstream, member)
#define NOTHING OBJECT_NONE, 0, 0

#define AREA(name) extern const struct area name##_area;
#include "dialect/nginx/area.def"
#undef AREA

enum { DIRECTIVES_MAX = 1024 };

/* A level being read: a block, or the whole file. */
struct scope {
    struct reader *reader;
    struct scope *outer;
    unsigned context; /* CONTEXT_*; two of them at the top of a file that is the inside of http */
    const struct node *block;
    struct policy *policy; /* NULL where no policy is */
    struct site *site;
    struct route *route; /* the location, or the server's fallback */
    struct upstream *upstream;
    struct program *program;            /* what set, if, rewrite, return and break are added to */
    bool has_method;                    /* of an upstream */
    bool is_first;                      /* for a handler: its directive's first in this block */
    uint64_t seen[DIRECTIVES_MAX / 64]; /* by number of row */
};

/* Reads everything in the block: finds each directive's row, verifies place, number of arguments and
 * uniqueness, and calls the handlers. */
void scope_read(struct scope *scope);
/* A level within another, for a block that a handler reads. */
struct scope scope_inner(struct scope *outer, unsigned context, const struct node *block);
/* The member that the row's setter sets in this scope; the setter says what size it believes that has. */
void *scope_member(const struct scope *scope, const struct directive *row, size_t bytes);

/* The row of that name that may stand in one of the contexts; NULL when there is none. */
const struct directive *directive_find(struct str name, unsigned contexts);
/* Every row, by number; NULL beyond the last. */
const struct directive *directive_at(size_t number);

#endif
