#ifndef BASE_SYSLOG_H
#define BASE_SYSLOG_H

#include "base/str.h"

/* Lines to a syslog server in the form of RFC 3164, by UDP or a unix socket, as nginx sends them. */

enum { SYSLOG_TAG_MAX = 32, SYSLOG_PROBLEM_MAX = 120 };

struct syslog_target {
    struct str server; /* "host", "host:port", "[::1]:port" or "unix:/path" */
    unsigned facility, severity;
    struct str tag;
    bool has_hostname;
};

/* "syslog:server=ADDRESS[,facility=local7][,severity=info][,tag=nginx][,nohostname]": its parts are views of
 * the text. False with what is wrong, in nginx's words, in `problem`. */
bool syslog_parse(struct str text, struct syslog_target *target, char problem[SYSLOG_PROBLEM_MAX]);

/* An open way there; threads may share it. */
struct syslog;
/* Resolves and opens; may block. The tag and all else of the target is copied. NULL with *error a negative
 * errno: -ENOENT when the server's name is not known. */
struct syslog *syslog_open(const struct syslog_target *target, int *error);
void syslog_close(struct syslog *syslog);
/* One message; `line` is without its end. False when it was dropped: it never waits. */
bool syslog_send(struct syslog *syslog, unsigned severity, struct str line);
/* What messages are sent with that have no severity of their own. */
unsigned syslog_severity(const struct syslog *syslog);

#endif
