#ifndef DIALECT_ONELINER_H
#define DIALECT_ONELINER_H

#include "model/model.h"

/* "hawser http://127.0.0.1:3001 http://127.0.0.1:3002" into a model: one listener (listen: ":8080", "3000",
 * "127.0.0.1:80", "[::]:80", "unix:/path"), one upstream sticky by sid, X-Forwarded-*, a tunnel limit of 120 s.
 * URLs: http://host[:port], host:port, :port, port, unix:/path. An error names the argument. */
struct model *oneliner_read(const struct str *urls, size_t count, struct str listen,
                            struct diagnostics *diagnostics);

#endif
