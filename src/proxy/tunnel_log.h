#ifndef PROXY_TUNNEL_LOG_H
#define PROXY_TUNNEL_LOG_H

#include "proxy/exchange.h"

/* What is written when a tunnel ends: its lines in the access logs, and of a stream those in the error log. A
 * line says most of what it says of the request, and that is settled when the tunnel begins, so that a tunnel
 * which is to be logged costs the text of its line, and not an exchange. */

struct tunnel;
struct tunnel_log;

/* For an exchange that becomes a tunnel: *log is the tunnel's to have, NULL when nothing will be written. Sets
 * x->awaits_tunnel if the exchange has to stay for it. False without memory. */
bool tunnel_log_new(struct exchange *x, struct tunnel_log **log);
/* Of a tunnel that did not come about. NULL is allowed. */
void tunnel_log_free(struct engine *engine, struct tunnel_log *log);
/* The server has said its first word. */
void tunnel_log_heard(const struct engine *engine, struct tunnel_log *log);
/* The tunnel has ended: its counts are known, its peer still there. Writes, and frees the log. */
void tunnel_log_end(struct tunnel *tunnel, enum why why);

#endif
