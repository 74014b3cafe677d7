#ifndef CODEC_H1_GRAMMAR_H
#define CODEC_H1_GRAMMAR_H

#include "base/str.h"

/* The words of HTTP/1 that stand for themselves, whatever head they are found in. */

/* token of RFC 9110 5.6.2, at least one character */
bool h1_is_token(struct str s);
/* uri-host [":" port] of RFC 9110 7.2, IPv6 in brackets; not empty */
bool h1_is_host(struct str s);
/* nginx's words: "OK", "Moved Temporarily"; "" for a status that it has none for. */
const char *h1_reason(unsigned status);
/* Cuts the next member off a comma-separated list (RFC 9110 5.6.1), without the blanks around it; false at its
 * end. */
bool h1_list_next(struct str *list, struct str *member);
/* Is `token` a member of the list, in any letter case? */
bool h1_list_has(struct str list, struct str token);

#endif
