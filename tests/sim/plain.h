#ifndef SIM_PLAIN_H
#define SIM_PLAIN_H

#include "base/str.h"

/* HTTP/1.1 read the obvious way, to judge what comes out of the engine; shares nothing with src/codec. Whatever
 * it does not find beyond doubt right is wrong. */

enum plain_result { PLAIN_MORE, PLAIN_DONE, PLAIN_BAD };
enum { PLAIN_FIELDS = 128 };

struct plain_head {
    struct str method, target;                            /* of a request */
    unsigned status, minor;                               /* of an answer; HTTP/1.minor */
    struct str names[PLAIN_FIELDS], values[PLAIN_FIELDS]; /* views into the bytes read */
    unsigned count;
    size_t len; /* bytes of the head */
    const char *reason;
};

enum plain_result plain_request_read(struct plain_head *head, struct str bytes);
enum plain_result plain_answer_read(struct plain_head *head, struct str bytes);
/* The first such field's value; ptr NULL when there is none. */
struct str plain_field(const struct plain_head *head, const char *name);
unsigned plain_count(const struct plain_head *head, const char *name);
/* Is `token` a member of the list in that field, letter case aside? */
bool plain_lists(const struct plain_head *head, const char *name, const char *token);

enum plain_framing { PLAIN_NONE, PLAIN_LENGTH, PLAIN_CHUNKED, PLAIN_UNTIL_CLOSE };

struct plain_body {
    enum plain_framing framing;
    uint64_t left, got; /* of the length or chunk; payload bytes so far */
    unsigned state;
    char line[300];
    size_t line_len;
    const char *reason;
};

/* Framing by RFC 9112 section 6.3; false with body->reason when it is not beyond doubt. */
bool plain_body_init(struct plain_body *body, const struct plain_head *head, bool is_request,
                     bool is_head_answer);
/* Takes bytes of the body from *bytes, up to its end; payload goes to `check`, with its position, which says
 * whether it is right. */
typedef bool plain_check(void *context, uint64_t position, struct str bytes);
enum plain_result plain_body_read(struct plain_body *body, struct str *bytes, plain_check *check,
                                  void *context);

#endif
