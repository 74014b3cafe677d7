#ifndef DIALECT_ENDPOINT_H
#define DIALECT_ENDPOINT_H

#include "model/model.h"

/* host:port and what else names a place to listen on or to connect to, as people write it. */

struct endpoint {
    struct str host; /* a name or literal; IPv6 without brackets; the path when is_unix */
    uint16_t port;   /* 0 when not said */
    bool is_unix;
};

/* "host", "host:port", "[::1]:port", "unix:/path". Views of text. On false *problem is a text that goes on from
 * the quoted text: "has no host". */
bool endpoint_parse(struct str text, struct endpoint *endpoint, const char **problem);
/* An address, and no name that has to be looked up. */
bool endpoint_is_literal(struct str host);
/* What a listen takes: "80", ":80", "*:80" and "*" beside the forms above; no name but localhost. All addresses
 * are "0.0.0.0", literals are canonical (in the arena). */
bool endpoint_parse_listen(struct str text, uint16_t default_port, struct arena *arena,
                           struct endpoint *endpoint, const char **problem);
/* The model's listen of this address, made when there is none yet (*is_new then). NULL without memory. */
struct listen *endpoint_listen(struct model *model, const struct endpoint *endpoint, struct place place,
                               bool *is_new);
/* "host:port", "[::1]:port" or "unix:/path". */
void endpoint_print(struct builder *out, const struct endpoint *endpoint);

#endif
