#ifndef PROXY_ACCESS_LOG_H
#define PROXY_ACCESS_LOG_H

#include "proxy/exchange.h"

/* Writes the exchange's line to every access log of its route. What is `settled` of them is taken from there,
 * and only what is late is asked of the exchange; NULL: all is. */
void access_log_write(struct exchange *x, struct str *settled);
/* Of an exchange that becomes a tunnel: appends what the lines can say by now, each value as it is written, for
 * access_log_write. *needs_exchange becomes true when the rest takes the exchange itself, and not only its
 * counts: a late map, which may name whatever it likes, or a path with variables, as it is opened for the line,
 * and what goes wrong then is told with the request. False: no line is wanted.
 * With out->overflow nothing can be done with what is there. */
bool access_log_settle(struct exchange *x, struct builder *out, bool *needs_exchange);

#endif
