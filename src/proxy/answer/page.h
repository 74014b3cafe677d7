#ifndef PROXY_ANSWER_PAGE_H
#define PROXY_ANSWER_PAGE_H

#include "model/route.h"

/* The small HTML page that an answer without a text of its own has: nginx's, with our name, and with our
 * version when server_tokens says so. In static memory; empty for statuses that nginx has no page for. */
struct str page_text(unsigned status, enum server_tokens tokens);

#endif
