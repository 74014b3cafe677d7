#ifndef PROXY_HEAD_RESPONSE_HEAD_H
#define PROXY_HEAD_RESPONSE_HEAD_H

#include "proxy/exchange.h"

/* Writes the head of the backend's answer as the client gets it: its end-to-end fields, Server and Date of our
 * own (nginx's proxy_hide_header defaults), add_header's, Connection and the framing of the body
 * (x->down.framing). */
void response_head_build(struct exchange *x, struct builder *out);
/* The same for the backend's 101. */
void response_head_build_switch(struct exchange *x, struct builder *out);
/* The same for any other 1xx, `head`, whatever it ends its lines by; it says nothing of framing, and what is
 * hidden from clients is so in it too. */
void response_head_build_interim(const struct exchange *x, const struct h1_head *head, struct builder *out);
/* The beginning of every answer: status line, Server, Date. */
void response_head_begin(struct exchange *x, struct builder *out, unsigned status, struct str reason);
/* Connection, Keep-Alive and the empty line; decides whether the connection is kept (front->must_close). */
void response_head_end(struct exchange *x, struct builder *out);

#endif
