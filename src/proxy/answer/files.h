#ifndef PROXY_ANSWER_FILES_H
#define PROXY_ANSWER_FILES_H

#include "proxy/exchange.h"

/* Serves x->path from the route's root or alias: files, and for a path that ends by '/' the index file, to
 * which an internal redirection leads; a directory without its slash is redirected to itself. Prepares x->local
 * and returns STATE_ANSWER, or STATE_ROUTE. Only GET and HEAD get files. */
enum exchange_state files_serve(struct exchange *x);

#endif
