#ifndef NET_PASSWORD_H
#define NET_PASSWORD_H

#include "base/str.h"

/* Passwords as htpasswd files hold them. */

/* Is `given` the password that `stored` stands for? All of nginx's forms: {PLAIN}, {SHA}, {SSHA}, $apr1$, and
 * what the system's crypt(3) knows: DES, $1$, $5$, $6$, $2y$, $y$. What is broken is nobody's password. */
bool password_is_right(struct str stored, struct str given);
/* May that take milliseconds of work, so that its answer is worth remembering? */
bool password_is_slow(struct str stored);

#endif
