#ifndef DIALECT_ONELINER_H
#define DIALECT_ONELINER_H

#include "model/model.h"

/* What is said in place of a configuration. */
struct oneliner {
    const struct str *urls; /* http://host[:port], https://host[:port], host:port, :port, port, unix:/path */
    size_t count;
    struct str listen; /* ":8080", "3000", "127.0.0.1:80", "[::]:80", "unix:/path"; empty: ":8080" */
    struct str
        status; /* where the status page is, in the same words, but a port alone is 127.0.0.1's; empty: nowhere
                 */
};

/* "hawser http://127.0.0.1:3001 http://127.0.0.1:3002" into a model: one listener, one upstream sticky by sid,
 * X-Forwarded-*, a tunnel limit of 120 s; and a second listener with the status page at "/", "/metrics" and
 * "/api". An error names the argument. NULL without memory. */
struct model *oneliner_read(const struct oneliner *asked, struct diagnostics *diagnostics);

#endif
