#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What is written of a tunnel when it ends: its exchange has gone long before, or has stayed for it. */

enum { TEXT_MAX = 2000 };

static struct {
    char folder[40], path[60];
    char outer[TEXT_MAX], inner[TEXT_MAX]; /* configuration: around the server, and in it */
    char text[TEXT_MAX];
} place;

/* A log named `a` in the server, and what else there is around it; @ is the log's path. */
static void place_make(const char *outer, const char *inner) {
    snprintf(place.folder, sizeof place.folder, "/tmp/hawser-scene-XXXXXX");
    assert_non_null(mkdtemp(place.folder));
    snprintf(place.path, sizeof place.path, "%s/log", place.folder);
    snprintf(place.outer, sizeof place.outer, "%s", outer);
    size_t len = 0;
    for (; *inner; inner++)
        len += (size_t)snprintf(place.inner + len, sizeof place.inner - len, "%.*s", *inner == '@' ? 60 : 1,
                                *inner == '@' ? place.path : inner);
}

static void begin(const char *outer, const char *inner) {
    place_make(outer, inner);
    scene_begin_within(1, place.outer, place.inner);
}

static void begin_stream(const char *outer, const char *inner) {
    place_make(outer, inner);
    scene_begin_stream_within(1, place.outer, place.inner);
}

static void end(void) {
    scene_end();
    unlink(place.path);
    rmdir(place.folder);
}

static const char *written(void) {
    FILE *file = fopen(place.path, "r");
    assert_non_null(file);
    size_t len = fread(place.text, 1, sizeof place.text - 1, file);
    fclose(file);
    place.text[len] = '\0';
    return place.text;
}

static void ends_with_both(struct scene_peer *client, struct scene_peer *backend) {
    scene_finish(client);
    scene_expect_end(backend);
    scene_finish(backend);
    scene_expect_end(client);
    scene_expect_counts(0, 0, 0);
}

#define LINE \
    "log_format line '$remote_addr $upstream_addr \"$request\" $status $body_bytes_sent $request_completion';"

static void test_line_is_settled(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    begin(LINE, "access_log @ line;");
    scene_tunnel(&client, &backend);
    scene_expect_state(""); /* no exchange */
    scene_send(backend, "1234567");
    scene_expect(client, "1234567");
    scene_expect_counts(0, 1, 0);
    assert_string_equal(written(), "");
    ends_with_both(client, backend);
    assert_string_equal(written(), "10.9.0.1 10.1.0.1:3000 \"GET /chat HTTP/1.1\" 101 7 OK\n");
    end();
}

static void test_times_are_of_the_end(void **state) {
    struct scene_peer *client, *backend;
    char *rest;
    (void)state;
    begin("log_format line '$request_time $upstream_response_time $upstream_header_time $request_completion';",
          "access_log @ line;");
    scene_tunnel(&client, &backend);
    scene_expect_end_between(client, SCENE_READ_S - 0.1, SCENE_READ_S + 0.1);
    scene_expect_end(backend);
    scene_expect_counts(0, 0, 0);
    assert_in_range((unsigned)(strtod(written(), &rest) * 1000), SCENE_READ_S * 1000,
                    SCENE_READ_S * 1000 + 100);
    assert_in_range((unsigned)(strtod(rest, &rest) * 1000), SCENE_READ_S * 1000, SCENE_READ_S * 1000 + 100);
    assert_in_range((unsigned)(strtod(rest, &rest) * 1000), 0, 100);
    assert_string_equal(rest, " \n"); /* nobody has ended it */
    end();
}

static void test_reset_is_an_end(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    begin(LINE, "access_log @ line;");
    for (unsigned i = 0; i < 2; i++) {
        scene_tunnel(&client, &backend);
        scene_reset(i ? backend : client);
        scene_expect_end(i ? client : backend);
    }
    scene_expect_counts(0, 0, 0);
    assert_string_equal(written(), "10.9.0.1 10.1.0.1:3000 \"GET /chat HTTP/1.1\" 101 0 OK\n"
                                   "10.9.0.1 10.1.0.1:3000 \"GET /chat HTTP/1.1\" 101 0 OK\n");
    end();
}

#define SIZES                                                                               \
    "map $body_bytes_sent $size { default few; ~^..$ tens; }\nmap $size $word { few \"\"; " \
    "tens $request_uri; }\nlog_format line '$status $size $word';"

static void test_late_map_keeps_the_exchange(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    begin(SIZES, "access_log @ line;");
    for (unsigned i = 0; i < 2; i++) {
        scene_tunnel(&client, &backend);
        scene_expect_state("TUNNEL");
        scene_send(backend, i ? "0123456789" : "0");
        scene_expect(client, i ? "0123456789" : "0");
        ends_with_both(client, backend);
        scene_expect_state("");
    }
    assert_string_equal(written(), "101 few \n101 tens /chat\n");
    end();
}

static void test_condition_settled_or_late(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    begin("map $status $is_tunnel { 101 1; default 0; }\n" SIZES "\nlog_format other 'other $uri';",
          "access_log @ line if=$http_none;\naccess_log @ other if=$is_tunnel;");
    scene_tunnel(&client, &backend);
    scene_expect_state(""); /* the one line that names a late map is not wanted */
    ends_with_both(client, backend);
    assert_string_equal(written(), "other /chat\n");
    end();
    begin(SIZES "\nlog_format other '$uri $body_bytes_sent';",
          "access_log @ other if=$word;\naccess_log @ other;");
    for (unsigned i = 0; i < 2; i++) {
        scene_tunnel(&client, &backend);
        scene_send(backend, i ? "0123456789" : "0");
        scene_expect(client, i ? "0123456789" : "0");
        ends_with_both(client, backend);
    }
    assert_string_equal(written(), "/chat 1\n/chat 10\n/chat 10\n");
    end();
}

static void test_nothing_wanted_keeps_nothing(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    begin(SIZES, "access_log @ line if=$http_none;");
    scene_tunnel(&client, &backend);
    scene_expect_state("");
    ends_with_both(client, backend);
    assert_string_equal(written(), "");
    end();
}

/* A map that has been looked up before is as it was then. */
static void test_map_that_was_asked(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    begin(SIZES, "set $now $size;\naccess_log @ line;");
    scene_tunnel(&client, &backend);
    scene_expect_state("TUNNEL"); /* for $word */
    scene_send(backend, "0123456789");
    scene_expect(client, "0123456789");
    ends_with_both(client, backend);
    assert_string_equal(written(), "101 few \n");
    end();
}

static void test_values_that_are_too_long(void **state) {
    struct scene_peer *client, *backend;
    static char agent[7000], line[40000];
    (void)state;
    memset(agent, 'x', sizeof agent - 1);
    begin(
        "log_format line '$http_a$http_a$http_a$http_a$http_a$http_a $status $uri';\n"
        "map $msec $late { ~. 1; }\nlog_format other 'end $status';",
        "access_log @ line;\naccess_log @ other;\naccess_log @ other if=$late;\nlarge_client_header_buffers 4 "
        "16k;");
    client = scene_client();
    scene_send(client, "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nA: ");
    scene_send_bytes(client, agent, sizeof agent - 1);
    scene_send(client, "\r\n%s", strstr(SCENE_HANDSHAKE, "Sec-"));
    backend = scene_backend(1);
    scene_expect_request(backend, "GET", "/chat");
    scene_send(backend, SCENE_SWITCH);
    scene_expect_answer(client, 101);
    scene_expect_state("TUNNEL"); /* it would be the larger part anyway */
    ends_with_both(client, backend);
    FILE *file = fopen(place.path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    assert_in_range(strlen(line), 14000, 16384);
    assert_int_equal(line[strlen(line) - 1], '\n');
    for (unsigned i = 0; i < 2; i++)
        assert_string_equal(fgets(line, sizeof line, file), "end 101\n");
    fclose(file);
    end();
}

/* One alone is longer than a line, and is to be escaped. */
static void test_a_value_longer_than_a_line(void **state) {
    static char agent[20000];
    struct scene_peer *client, *backend;
    (void)state;
    memset(agent, '"', sizeof agent - 1);
    begin("log_format line '$http_a $status';", "access_log @ line;\nlarge_client_header_buffers 4 32k;");
    client = scene_client();
    scene_send(client, "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nA: ");
    scene_send_bytes(client, agent, sizeof agent - 1);
    scene_send(client, "\r\n%s", strstr(SCENE_HANDSHAKE, "Sec-"));
    backend = scene_backend(1);
    scene_expect_request(backend, "GET", "/chat");
    scene_send(backend, SCENE_SWITCH);
    scene_expect_answer(client, 101);
    ends_with_both(client, backend);
    assert_string_equal(written(), "- 101\n");
    end();
}

static void test_stream(void **state) {
    char *rest;
    (void)state;
    begin_stream("log_format line '$status $protocol $bytes_sent $bytes_received $upstream_bytes_sent "
                 "$upstream_bytes_received $session_time $upstream_session_time $upstream_first_byte_time';",
                 "access_log @ line;");
    struct scene_peer *client = scene_client();
    struct scene_peer *backend = scene_backend(1);
    scene_send(client, "12345");
    scene_expect(backend, "12345");
    scene_expect_state("");
    scene_wait_ms(2000);
    scene_send(backend, "123");
    scene_expect(client, "123");
    scene_wait_ms(1000);
    scene_finish(client);
    scene_expect_end(backend);
    scene_wait_ms(200);
    scene_expect_counts(0, 0, 0);
    assert_non_null(strstr(written(), "200 TCP 3 5 5 3 "));
    assert_in_range((unsigned)(strtod(place.text + 16, &rest) * 1000), 3000, 3200);
    assert_in_range((unsigned)(strtod(rest, &rest) * 1000), 3000, 3200);
    assert_in_range((unsigned)(strtod(rest, &rest) * 1000), 2000, 2100);
    end();
}

/* The process ends, and the tunnel with it. */
static void test_end_of_all(void **state) {
    struct scene_peer *client, *backend;
    (void)state;
    begin(SIZES, "access_log @ line;");
    scene_tunnel(&client, &backend);
    stage_close();
    assert_false(world_has_failed());
    assert_string_equal(written(), "101 few \n");
    unlink(place.path);
    rmdir(place.folder);
}

int scenes_of_logs(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_is_settled),
        cmocka_unit_test(test_times_are_of_the_end),
        cmocka_unit_test(test_reset_is_an_end),
        cmocka_unit_test(test_late_map_keeps_the_exchange),
        cmocka_unit_test(test_condition_settled_or_late),
        cmocka_unit_test(test_nothing_wanted_keeps_nothing),
        cmocka_unit_test(test_map_that_was_asked),
        cmocka_unit_test(test_values_that_are_too_long),
        cmocka_unit_test(test_a_value_longer_than_a_line),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_end_of_all),
    };
    return cmocka_run_group_tests_name("logs", tests, NULL, NULL);
}
