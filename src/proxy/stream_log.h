#ifndef PROXY_STREAM_LOG_H
#define PROXY_STREAM_LOG_H

#include "proxy/exchange.h"

/* What the error log says of a stream at level info, in nginx's words: who came, who was connected to, and who
 * ended it with how many bytes. */

void stream_log_accepted(const struct exchange *x);
void stream_log_connected(const struct exchange *x);
/* Its tunnel has ended, by the server or by the client: the counts are known. */
void stream_log_ended(const struct exchange *x, enum why why, bool is_by_back);

#endif
