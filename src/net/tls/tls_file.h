#ifndef NET_TLS_TLS_FILE_H
#define NET_TLS_TLS_FILE_H

#include "base/builder.h"

/* What a configuration names: a path, or "data:" and the contents themselves. */

struct bio_st;

/* As an error shows it: what is no path may be a key, which is not to be read in a log. */
struct str tls_file_shown(struct str path);
/* Says that `call` failed and why, in nginx's words; `what` is "certificate". Always false. */
bool tls_file_fail(struct builder *error, const char *what, struct str path, const char *call);
/* To be read from its beginning. The caller's; NULL when it cannot be, which is said. */
struct bio_st *tls_file_open(struct str path, const char *what, struct builder *error);
/* The contents of a small file: for the caller to free with mem_free; ptr is NULL when it cannot be read. */
struct str tls_file_read(struct str path, struct builder *error);

#endif
