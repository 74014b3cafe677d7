#ifndef PROXY_FILES_H
#define PROXY_FILES_H

#include "proxy/exchange.h"

/* Serves x->path from the route's root: index files, types, Last-Modified and ETag, conditions (RFC 9110 13),
 * one byte range or several (14), redirect of a directory without its slash. Prepares x->local; only GET and
 * HEAD, else 405. */
void files_prepare(struct exchange *x);

#endif
