#include "../sim/plain.h"
#include "../sim/stage.h"
#include "../sim/subject.h"
#include "fuzz.h"

/* The whole engine in the simulated world, asked by a client and answered by servers that say anything: what
 * configurations do with requests and answers. The first byte chooses the configuration, tests/fuzz/engine/,
 * the second the port and how the bytes come, the third whether memory is refused. What follows are the
 * client's bytes, and behind each 0xff the next answer of a server, whichever is asked. */

enum { CALLS_MAX = 256, PORT = 8080, NODES = 4 };

enum { /* bits of the second byte, whose remainder by 3 is the port */
       BY_PIECES = 4,
       CLIENT_ENDS = 8,    /* with FIN, once all is sent */
       SERVERS_CLOSE = 16, /* behind each answer */
       WAITS_LONG = 32
};

static const struct {
    const char *path;
    bool is_stream; /* of bytes that are no heads */
    bool is_asking; /* by itself, as the configuration says it */
} configurations[] = {
    {"tests/fuzz/engine/rewrite.conf", false, false},  {"tests/fuzz/engine/proxy.conf", false, false},
    {"tests/fuzz/engine/guard.conf", false, false},    {"tests/fuzz/engine/files.conf", false, false},
    {"tests/fuzz/engine/sessions.conf", false, false}, {"tests/fuzz/engine/checks.conf", false, true},
    {"tests/fuzz/engine/stream.conf", true, false},    {"tests/fuzz/engine/secure.conf", true, false},
};
enum { CONFIGURATIONS = sizeof configurations / sizeof *configurations };

static struct {
    unsigned configuration;
    uint8_t how;
    struct str answers; /* those to come, each behind its 0xff */
    struct wire client;
    bool is_over;
    struct wire *calls[CALLS_MAX];
    unsigned call_count;
} play;

static void setting_choose(struct setting *setting) {
    memset(setting, 0, sizeof *setting);
    setting->weather = world.weather;
    setting->profile = (struct profile){.is_calm = true, .has_sticky = true};
    FILE *file = fopen(configurations[play.configuration].path, "rb");
    FUZZ_CHECK(file);
    setting->text_len = fread(setting->text, 1, sizeof setting->text, file);
    FUZZ_CHECK(setting->text_len < sizeof setting->text);
    fclose(file);
}

/* A head is made of clean lines, whatever is in its variables. */
static void check_head(const struct plain_head *head, enum plain_result result, struct str bytes) {
    if (result != PLAIN_BAD || head->count == PLAIN_FIELDS)
        return;
    fprintf(stderr, "%s: %.*s\n", head->reason, STR_ARG(bytes));
    FUZZ_CHECK(false);
}

/* What goes beyond ASCII in a target passes as it came, and so does "*". */
static void check_request(struct str bytes) {
    static struct plain_head head;
    struct str copy = fuzz_copy(bytes);
    char *at = (char *)(uintptr_t)copy.ptr;
    for (size_t i = 0; i < copy.len && at[i] != '\r'; i++)
        if ((unsigned char)at[i] >= 0x80 || (at[i] == '*' && i && at[i - 1] == ' '))
            at[i] = '/';
    check_head(&head, plain_request_read(&head, copy), bytes);
    fuzz_drop(copy);
}

static bool body_passes(void *context, uint64_t position, struct str bytes) {
    (void)context, (void)position, (void)bytes;
    return true;
}

/* One answer stands behind the other, each as long as it says; unless some may be to HEAD, which is not known.
 */
static void check_answers(struct str bytes, bool has_head) {
    static struct plain_head head;
    enum plain_result result = PLAIN_DONE;
    while (result == PLAIN_DONE) {
        struct plain_body body;
        result = plain_answer_read(&head, bytes);
        check_head(&head, result, bytes);
        if (result != PLAIN_DONE || head.status == 101 || has_head)
            return;
        FUZZ_CHECK(plain_body_init(&body, &head, false, false));
        bytes = str_from(bytes, head.len);
        result = plain_body_read(&body, &bytes, body_passes, NULL);
        bool is_long = body.line_len + 1 >= sizeof body.line; /* a trailer that the reader has no room for */
        FUZZ_CHECK(result != PLAIN_BAD || is_long);
    }
}

static void call_reply(struct wire *wire) {
    struct str answer;
    wire_eat(wire, wire_view(wire).len);
    if (!play.answers.len) {
        wire_close_after(wire);
        return;
    }
    str_split(&play.answers, '\xff', &answer);
    wire_put(wire, answer.ptr, answer.len);
    if (play.how & SERVERS_CLOSE)
        wire_close_after(wire);
}

/* Of HTTP all of a head is waited for; whatever else is asked is answered at once. */
static bool is_asked(const struct wire *wire) {
    struct str bytes = wire_view(wire);
    bool is_http = !configurations[play.configuration].is_stream && bytes.len && bytes.ptr[0] != '\x16';
    return bytes.len && (!is_http || str_find(bytes, STR("\r\n\r\n")) != STR_NONE);
}

static void call_noted(struct wire *wire) {
    struct str bytes = wire_view(wire);
    if (wire->has_end || wire->is_broken)
        wire_close(wire);
    if (!wire->end || !is_asked(wire))
        return;
    bool is_first = wire->got == bytes.len;
    if (is_first && !configurations[play.configuration].is_stream &&
        !configurations[play.configuration].is_asking)
        check_request(bytes);
    call_reply(wire);
}

static void call_accept(struct service *service, struct end *end) {
    (void)service;
    if (play.call_count == CALLS_MAX) {
        end_close(end);
        return;
    }
    struct wire *wire = world_alloc(sizeof *wire);
    play.calls[play.call_count++] = wire;
    wire->news = call_noted;
    wire_accept(wire, end);
}

static void client_noted(struct wire *wire) {
    play.is_over = wire->has_end || wire->is_broken;
}

static bool is_over(void) {
    return play.is_over;
}

static bool is_empty(void) {
    struct subject_counts counts = subject_count();
    return counts.fronts + counts.exchanges + counts.tunnels + counts.idle_backs == 0;
}

static void client_play(struct str bytes) {
    struct address from = net_address(10, 9, 0, 1, 40000), to = net_address(127, 0, 0, 1, PORT + play.how % 3);
    play.client.news = client_noted;
    if (play.how & BY_PIECES) {
        play.client.pace_us = 50;
        play.client.piece = 1 + fuzz_cut(bytes, 1) % 16;
    }
    wire_dial(&play.client, &from, &to);
    wire_put(&play.client, bytes.ptr, bytes.len);
    if (play.how & CLIENT_ENDS)
        wire_finish(&play.client);
    stage_until(is_over, play.how & WAITS_LONG ? 80000 : 4000);
}

static void play_end(struct str asked) {
    if (!configurations[play.configuration].is_stream)
        check_answers(wire_view(&play.client), str_find(asked, STR("HEAD")) != STR_NONE);
    mem_fail_never();
    wire_reset(&play.client); /* a client that has sent FIN may still wait for its answer */
    for (unsigned i = 0; i < play.call_count; i++)
        wire_close(play.calls[i]);
    stage_until(is_empty, 150000);
    bool is_all_gone = is_empty();
    stage_close();
    if (world_has_failed())
        fprintf(stderr, "%s\n", world.failure);
    FUZZ_CHECK(!world_has_failed() && is_all_gone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str input = str_make((const char *)data, size), client;
    memset(&play, 0, sizeof play);
    play.configuration = fuzz_byte(&input) % CONFIGURATIONS;
    play.how = fuzz_byte(&input);
    unsigned shortage = fuzz_byte(&input);
    str_split(&input, '\xff', &client);
    play.answers = input;
    bool is_open = stage_open(1, setting_choose);
    FUZZ_CHECK(is_open);
    fuzz_forget();
    for (unsigned i = 0; i < NODES; i++) {
        struct address address = net_address(10, 1, 0, i + 1, 3000);
        net_serve(&address, call_accept, NULL);
    }
    if (shortage & 0x80)
        mem_fail_after(shortage & 0x7f);
    client_play(client);
    play_end(client);
    return 0;
}
