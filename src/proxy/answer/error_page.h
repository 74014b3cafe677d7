#ifndef PROXY_ANSWER_ERROR_PAGE_H
#define PROXY_ANSWER_ERROR_PAGE_H

#include "proxy/exchange.h"

/* error_page: what stands in for an answer of our own, or for one of a server's that is intercepted. */

/* Has the route an error_page for this status? Once one was followed it may be that our own page is sent. */
bool error_page_stands_in(const struct exchange *x, unsigned status);
/* x->local is a page (is_page): follows the error_page of its status. STATE_ROUTE: an internal redirection;
 * STATE_ANSWER: x->local is the answer, a redirect or the page itself. */
enum exchange_state error_page_apply(struct exchange *x);
/* A server's answer is not to be passed on: lets go of the server and goes on as if the status were ours.
 * `headers` are whole lines that the answer has in any case, such as its WWW-Authenticate; they outlive the
 * exchange. To be returned from a step. */
enum exchange_state error_page_intercept(struct exchange *x, unsigned status, struct str headers);

#endif
