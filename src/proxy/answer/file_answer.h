#ifndef PROXY_ANSWER_FILE_ANSWER_H
#define PROXY_ANSWER_FILE_ANSWER_H

#include "net/file.h"
#include "proxy/exchange.h"

/* Makes an open file the answer: its type by x->path, Last-Modified and ETag, conditions (RFC 9110 13) and
 * ranges (14) as nginx reads them. Takes fd. Prepares x->local. */
void file_answer_prepare(struct exchange *x, int fd, const struct file_info *info);

#endif
