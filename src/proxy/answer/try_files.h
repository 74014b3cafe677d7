#ifndef PROXY_ANSWER_TRY_FILES_H
#define PROXY_ANSWER_TRY_FILES_H

#include "proxy/exchange.h"

/* The route's try_files. False: the route serves what x->path now names. True: *next says how it goes on, with
 * a redirection or an answer. */
bool try_files_run(struct exchange *x, enum exchange_state *next);

#endif
