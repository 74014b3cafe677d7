#ifndef PROXY_ANSWER_STUB_STATUS_H
#define PROXY_ANSWER_STUB_STATUS_H

#include "proxy/exchange.h"

/* stub_status: nginx's four lines about connections. Prepares x->local. */
enum exchange_state stub_status_serve(struct exchange *x);

#endif
