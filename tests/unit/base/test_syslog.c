#include "../unit.h"

#include "base/log.h"
#include "base/syslog.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void the_text_is_read(void **state) {
    (void)state;
    struct syslog_target target;
    char problem[SYSLOG_PROBLEM_MAX];
    assert_true(syslog_parse(STR("syslog:server=[::1]:515,facility=mail,severity=crit,tag=a_1,nohostname"),
                             &target, problem));
    assert_true(str_eq(target.server, STR("[::1]:515")) && str_eq(target.tag, STR("a_1")));
    assert_int_equal(target.facility, 2);
    assert_int_equal(target.severity, 2);
    assert_false(target.has_hostname);
    assert_true(syslog_parse(STR("syslog:server=a"), &target, problem));
    assert_int_equal(target.facility * 8 + target.severity, 190);
    assert_true(target.has_hostname);
}

static void what_is_wrong_is_said(void **state) {
    (void)state;
    static const char *const rows[][2] = {
        {"syslog:", "unknown syslog parameter \"\""},
        {"syslog:tag=x", "no syslog server specified"},
        {"syslog:server=", "no syslog server specified"},
        {"syslog:server=a,server=b", "duplicate syslog \"server\""},
        {"syslog:server=a,nohostname,nohostname", "duplicate syslog \"nohostname\""},
        {"syslog:server=a,facility=x", "unknown syslog facility \"x\""},
        {"syslog:server=a,severity=", "unknown syslog severity \"\""},
        {"syslog:server=a,colour=x", "unknown syslog parameter \"colour=x\""},
        {"syslog:server=a,nohostnames", "unknown syslog parameter \"nohostnames\""},
        {"syslog:server=a,tag=a b", "syslog \"tag\" only allows alphanumeric characters and underscore"},
        {"syslog:server=a,tag=012345678901234567890123456789012", "syslog tag length exceeds 32"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct syslog_target target;
        char problem[SYSLOG_PROBLEM_MAX] = "";
        assert_false(syslog_parse(str_of(rows[i][0]), &target, problem));
        assert_string_equal(problem, rows[i][1]);
    }
}

static uint64_t wall(void) {
    return 1000;
}

/* An error log's chain: a unix socket of syslog that hears all, and behind it one that hears errors alone. */
static void a_chain_of_logs_reaches_syslog(void **state) {
    (void)state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[160], message[500];
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/hawser-syslog-%d", (int)getpid());
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0), error = 0;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    snprintf(path, sizeof path, "syslog:server=unix:%s,tag=t,nohostname", address.sun_path);
    struct log_sink *sink = log_sink_open(path, &error), *off = log_sink_open("off", &error);
    assert_non_null(sink);
    struct log quiet = {.sink = sink, .level = LOG_ERROR};
    struct log log = {.sink = off, .level = LOG_DEBUG, .next = &quiet, .wall_ms = wall};
    log_line(&log, LOG_WARN, "not heard");
    log_line(&log, LOG_CRIT, "heard");
    ssize_t len = recv(fd, message, sizeof message - 1, 0);
    assert_true(len > 0);
    message[len] = '\0';
    assert_memory_equal(message, "<186>", 5);
    assert_non_null(strstr(message, " t: "));
    assert_non_null(strstr(message, "[crit] "));
    assert_non_null(strstr(message, ": heard"));
    assert_int_equal(message[len - 1], 'd');
    log_sink_close(sink);
    log_sink_close(off);
    close(fd);
    unlink(address.sun_path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_read),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_chain_of_logs_reaches_syslog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
