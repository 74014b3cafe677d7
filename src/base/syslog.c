#include "base/syslog.h"

#include "base/builder.h"
#include "base/mem.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 256, PORT_MAX_BYTES = 8, HEADER_MAX = 420, FACILITY_LOCAL7 = 23, SEVERITY_INFO = 6 };

static const char *const facilities[] = {"kern",   "user",   "mail",   "daemon", "auth",     "intern",
                                         "lpr",    "news",   "uucp",   "clock",  "authpriv", "ftp",
                                         "ntp",    "audit",  "alert",  "cron",   "local0",   "local1",
                                         "local2", "local3", "local4", "local5", "local6",   "local7"};
static const char *const severities[] = {"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"};

struct syslog {
    int fd;
    unsigned facility, severity;
    bool has_hostname;
    char tag[SYSLOG_TAG_MAX + 1];
    char hostname[HOST_NAME_MAX + 1];
    struct sockaddr_storage address;
    socklen_t address_len;
};

/* ---- the text ---- */

static bool fail(char *problem, const char *what, struct str text) {
    snprintf(problem, SYSLOG_PROBLEM_MAX, "%s \"%.*s\"", what, text.len < 60 ? (int)text.len : 60, text.ptr);
    return false;
}

static bool word_find(const char *const *words, unsigned count, struct str word, unsigned *found) {
    for (*found = 0; *found < count; ++*found)
        if (str_eq(word, str_of(words[*found])))
            return true;
    return false;
}

static bool tag_check(struct str tag, char *problem) {
    if (tag.len > SYSLOG_TAG_MAX) {
        snprintf(problem, SYSLOG_PROBLEM_MAX, "syslog tag length exceeds %d", SYSLOG_TAG_MAX);
        return false;
    }
    for (size_t i = 0; i < tag.len; i++) {
        char c = str_lower_char(tag.ptr[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) {
            snprintf(problem, SYSLOG_PROBLEM_MAX,
                     "syslog \"tag\" only allows alphanumeric characters and underscore");
            return false;
        }
    }
    return true;
}

static bool part_take(struct str part, struct syslog_target *target, unsigned *seen, char *problem) {
    static const char *const names[] = {"server=", "facility=", "severity=", "tag=", "nohostname"};
    enum { SERVER, FACILITY, SEVERITY, TAG, NOHOSTNAME, NAMES };
    unsigned which = 0;
    while (which < NAMES && !str_starts(part, str_of(names[which])))
        which++;
    if (which == NAMES || (which == NOHOSTNAME && part.len != strlen(names[NOHOSTNAME])))
        return fail(problem, "unknown syslog parameter", part);
    struct str name = str_of(names[which]), value = str_from(part, name.len);
    if (*seen & 1u << which)
        return fail(problem, "duplicate syslog", str_head(name, which == NOHOSTNAME ? name.len : name.len - 1));
    *seen |= 1u << which;
    switch (which) {
    case SERVER:
        target->server = value;
        return true;
    case FACILITY:
        return word_find(facilities, sizeof facilities / sizeof *facilities, value, &target->facility) ||
               fail(problem, "unknown syslog facility", value);
    case SEVERITY:
        return word_find(severities, sizeof severities / sizeof *severities, value, &target->severity) ||
               fail(problem, "unknown syslog severity", value);
    case TAG:
        target->tag = value;
        return tag_check(value, problem);
    default:
        target->has_hostname = false;
        return true;
    }
}

bool syslog_parse(struct str text, struct syslog_target *target, char problem[SYSLOG_PROBLEM_MAX]) {
    struct str rest = str_from(text, strlen("syslog:")), part;
    unsigned seen = 0;
    *target = (struct syslog_target){.server = STR(""),
                                     .facility = FACILITY_LOCAL7,
                                     .severity = SEVERITY_INFO,
                                     .tag = STR("nginx"),
                                     .has_hostname = true};
    while (str_split(&rest, ',', &part))
        if (!part_take(part, target, &seen, problem))
            return false;
    if (target->server.len == 0)
        snprintf(problem, SYSLOG_PROBLEM_MAX, "no syslog server specified");
    return target->server.len != 0;
}

/* ---- the way there ---- */

static int unix_set(struct syslog *syslog, struct str path) {
    struct sockaddr_un *address = (struct sockaddr_un *)&syslog->address;
    if (path.len == 0 || path.len >= sizeof address->sun_path)
        return -ENAMETOOLONG;
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path.ptr, path.len);
    syslog->address_len = sizeof *address;
    return 0;
}

static int name_resolve(struct syslog *syslog, const char *name, const char *port) {
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV}, *found;
    if (getaddrinfo(name, port, &hints, &found) != 0)
        return -ENOENT;
    memcpy(&syslog->address, found->ai_addr, found->ai_addrlen);
    syslog->address_len = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

static int server_set(struct syslog *syslog, struct str server) {
    char name[NAME_MAX_BYTES], port[PORT_MAX_BYTES] = "514";
    if (str_starts(server, STR("unix:")))
        return unix_set(syslog, str_from(server, 5));
    struct str host = server, rest = STR("");
    size_t end = server.ptr[0] == '[' ? str_find_char(server, ']') : str_find_char(server, ':');
    if (server.ptr[0] == '[' && end != STR_NONE) {
        host = str_make(server.ptr + 1, end - 1);
        rest = str_from(server, end + 1);
    } else if (end != STR_NONE) {
        host = str_head(server, end);
        rest = str_from(server, end);
    }
    if (host.len >= sizeof name || rest.len > sizeof port)
        return -EINVAL;
    snprintf(name, sizeof name, "%.*s", STR_ARG(host));
    if (rest.len > 1)
        snprintf(port, sizeof port, "%.*s", STR_ARG(str_from(rest, 1)));
    return name_resolve(syslog, name, port);
}

struct syslog *syslog_open(const struct syslog_target *target, int *error) {
    struct syslog *syslog = mem_zero(1, sizeof *syslog);
    *error = -ENOMEM;
    if (!syslog)
        return NULL;
    syslog->facility = target->facility;
    syslog->severity = target->severity;
    syslog->has_hostname = target->has_hostname;
    snprintf(syslog->tag, sizeof syslog->tag, "%.*s", STR_ARG(target->tag));
    gethostname(syslog->hostname, sizeof syslog->hostname - 1);
    for (char *c = syslog->hostname; *c; c++)
        *c = str_lower_char(*c);
    *error = server_set(syslog, target->server);
    syslog->fd = *error ? -1 : socket(syslog->address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (!*error && syslog->fd >= 0)
        return syslog;
    if (!*error)
        *error = -errno;
    mem_free(syslog);
    return NULL;
}

void syslog_close(struct syslog *syslog) {
    if (!syslog)
        return;
    close(syslog->fd);
    mem_free(syslog);
}

unsigned syslog_severity(const struct syslog *syslog) {
    return syslog->severity;
}

bool syslog_send(struct syslog *syslog, unsigned severity, struct str line) {
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char header[HEADER_MAX];
    struct builder out = builder_make(header, sizeof header);
    time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    builder_format(&out, "<%u>%s %2d %02d:%02d:%02d %s%s%s: ", syslog->facility * 8 + severity,
                   months[local.tm_mon], local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec,
                   syslog->has_hostname ? syslog->hostname : "", syslog->has_hostname ? " " : "", syslog->tag);
    struct iovec parts[] = {{header, out.len}, {(void *)(uintptr_t)line.ptr, line.len}};
    struct msghdr message = {
        .msg_name = &syslog->address, .msg_namelen = syslog->address_len, .msg_iov = parts, .msg_iovlen = 2};
    return sendmsg(syslog->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}
