#ifndef PROXY_ACCESS_LOG_H
#define PROXY_ACCESS_LOG_H

#include "proxy/exchange.h"

/* Writes the exchange's line to every access log of its route. */
void access_log_write(struct exchange *x);

#endif
