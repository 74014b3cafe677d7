#ifndef PROXY_STREAM_H
#define PROXY_STREAM_H

#include "proxy/exchange.h"

/* Streams: connections passed on as they are. A stream is an exchange without a request: it goes through the
 * same states, and its steps differ where there is no head to be read, sent or answered. */

/* ROUTE: which server of those on the address. */
enum exchange_state stream_route(struct exchange *x);
/* What the server does once the connection may pass. */
enum exchange_state stream_content(struct exchange *x);
/* BODY: looks at what the client says first. */
enum exchange_state stream_preread(struct exchange *x);
/* CONNECT: opens the back; what is said before all else goes out. */
enum exchange_state stream_connect(struct exchange *x);
/* ANSWER: `return`, or nothing at all where something went wrong. */
enum exchange_state stream_answer(struct exchange *x);
/* What $status says, in nginx's few codes. */
unsigned stream_status(const struct exchange *x);
/* A variable that streams alone have. False when it is none of those. */
bool stream_eval(const struct exchange *x, enum variable_id id, struct builder *out);
/* proxy_upload_rate and proxy_download_rate, bytes a second; 0: as fast as it goes. False when both are. */
bool stream_rates(struct exchange *x, uint64_t *up, uint64_t *down);
/* May another server be tried? */
bool stream_may_retry(const struct exchange *x, unsigned next_bit);

#endif
