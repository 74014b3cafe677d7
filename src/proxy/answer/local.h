#ifndef PROXY_ANSWER_LOCAL_H
#define PROXY_ANSWER_LOCAL_H

#include "proxy/exchange.h"

/* Answers of our own: for what went wrong, for `return`, for files. */

/* The answer for x->why. */
void local_prepare_why(struct exchange *x);
/* nginx's page for a status; error_page is asked about it when it is about to be sent. Lines of the header that
 * belong to it (WWW-Authenticate) are to be put into x->local.headers afterwards. */
void local_prepare_status(struct exchange *x, unsigned status);
/* A `return`. False: the connection is to be closed without an answer (444, 408, 499). */
bool local_prepare_return(struct exchange *x, const struct local_answer *answer);
/* A redirect, with absolute_redirect, port_in_redirect and server_name_in_redirect for a target that begins
 * with
 * '/'. All redirects of our own are made here. False without memory. */
bool local_prepare_redirect(struct exchange *x, unsigned status, struct str target);
/* Writes a redirection's target as it stands in Location: made absolute when it begins with '/'. */
void local_build_location(struct exchange *x, struct builder *out, struct str target);
/* 301, 302, 303, 307 or 308. */
bool local_is_redirect(unsigned status);
/* Closes what an answer had open. */
void local_close(struct exchange *x);

#endif
