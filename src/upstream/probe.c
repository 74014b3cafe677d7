#include "upstream/probe.h"

#include "base/mem.h"
#include "loop/random.h"
#include "upstream/probe_answer.h"

#include <errno.h>

enum phase { PHASE_ASK, PHASE_BYE };

struct probe {
    struct loop *loop;
    const struct check *check;
    struct duct *duct;
    struct timer deadline;
    probe_done *done;
    void *context;
    enum phase phase;
    char *answer; /* PROBE_ANSWER_MAX, then as many for the body */
    size_t answer_len;
    char key[WS_KEY_LEN];
    struct builder out;
    size_t sent;
    struct task burial;
    char memory[PROBE_REQUEST_MAX];
};

static void bury(struct task *task) {
    struct probe *probe = LIST_OF(task, struct probe, burial);
    mem_free(probe->answer);
    mem_free(probe);
}

void probe_cancel(struct probe *probe) {
    timer_disarm(&probe->deadline);
    duct_close(probe->duct);
    probe->duct = NULL;
    loop_bury(probe->loop, &probe->burial);
}

static void finish(struct probe *probe, enum probe_verdict verdict, unsigned status) {
    probe_cancel(probe);
    probe->done(probe->context, verdict, status);
}

static enum probe_verdict error_verdict(int error) {
    switch (-error) {
    case ECONNREFUSED:
    case ENOENT:
        return PROBE_REFUSED;
    case ECONNRESET:
    case EPIPE:
        return PROBE_RESET;
    case ETIMEDOUT:
        return PROBE_TIMEOUT;
    case ENOMEM:
    case ENOBUFS:
        return PROBE_SHORTAGE;
    default:
        return PROBE_UNREACHABLE;
    }
}

/* Sends what is left; 0, or why it cannot be. */
static int rest_send(struct probe *probe) {
    while (probe->sent < probe->out.len && probe->duct->can_write) {
        ssize_t sent = duct_send(probe->duct, probe->out.ptr + probe->sent, probe->out.len - probe->sent);
        if (sent < 0)
            return sent == -EAGAIN ? 0 : (int)sent;
        probe->sent += (size_t)sent;
    }
    return 0;
}

/* Reads all that is there. 1: the stream has ended. 0 or negative errno. */
static int answer_read(struct probe *probe) {
    while (probe->duct->can_read) {
        if (!probe->answer)
            probe->answer = mem_alloc(2 * PROBE_ANSWER_MAX);
        if (!probe->answer)
            return -ENOMEM;
        if (probe->answer_len == PROBE_ANSWER_MAX)
            return -EMSGSIZE;
        ssize_t got =
            duct_recv(probe->duct, probe->answer + probe->answer_len, PROBE_ANSWER_MAX - probe->answer_len);
        if (got == -EAGAIN)
            return 0;
        if (got <= 0)
            return got == 0 ? 1 : (int)got;
        probe->answer_len += (size_t)got;
    }
    return 0;
}

/* A good answer: takes leave where that is due, so that nothing is left at the server. */
static void leave(struct probe *probe, struct str body, unsigned status) {
    struct builder out = builder_make(probe->memory, sizeof probe->memory);
    if (!probe_goodbye_build(&out, probe->check, body)) {
        finish(probe, PROBE_PASSED, status);
        return;
    }
    probe->phase = PHASE_BYE;
    probe->out = out;
    probe->sent = 0;
    probe->answer_len = 0;
    if (rest_send(probe))
        finish(probe, PROBE_PASSED, status);
}

static bool says_nothing(const struct check *check) {
    return check->kind == CHECK_TCP && check->good->expect.len == 0 && !check->good->expect_regex;
}

static void answer_judge(struct probe *probe, bool is_complete) {
    unsigned status = 0;
    struct str answer = str_make(probe->answer ? probe->answer : "", probe->answer_len);
    struct builder body = builder_make(probe->answer ? probe->answer + PROBE_ANSWER_MAX : NULL,
                                       probe->answer ? PROBE_ANSWER_MAX : 0);
    enum probe_verdict verdict = probe_answer_judge(probe->check, answer, is_complete,
                                                    str_make(probe->key, sizeof probe->key), &body, &status);
    if (verdict == PROBE_PASSED)
        leave(probe, builder_view(&body), status);
    else if (verdict != PROBE_NONE)
        finish(probe, verdict, status);
}

static void bye_step(struct probe *probe) {
    int error = rest_send(probe);
    int end = error ? error : answer_read(probe);
    bool is_answered = probe->check->kind == CHECK_SOCKETIO && probe->answer_len;
    if (end || is_answered)
        finish(probe, PROBE_PASSED, 0);
}

static void ask_step(struct probe *probe) {
    int error = probe->duct->has_end && !probe->duct->is_connected ? socket_error(probe->duct->ev.fd) : 0;
    if (!error)
        error = rest_send(probe);
    int end = error ? error : answer_read(probe);
    if (end < 0) {
        enum probe_verdict verdict = end == -EMSGSIZE ? PROBE_TOO_LARGE : error_verdict(end);
        finish(probe, verdict, 0);
    } else if (says_nothing(probe->check)) {
        if (probe->duct->is_connected && probe->sent == probe->out.len)
            finish(probe, PROBE_PASSED, 0);
    } else if (probe->answer_len || end) {
        answer_judge(probe, end == 1);
    }
}

static void duct_event(struct duct *duct) {
    struct probe *probe = duct->owner;
    if (probe->phase == PHASE_ASK)
        ask_step(probe);
    else
        bye_step(probe);
}

/* A goodbye that is not answered is no fault. */
static void expire(struct timer *timer) {
    struct probe *probe = LIST_OF(timer, struct probe, deadline);
    finish(probe, probe->phase == PHASE_BYE ? PROBE_PASSED : PROBE_TIMEOUT, 0);
}

static void key_make(char key[WS_KEY_LEN]) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char bytes[WS_KEY_LEN];
    random_fill(bytes, sizeof bytes);
    for (size_t i = 0; i < WS_KEY_LEN - 2; i++)
        key[i] = letters[(unsigned char)bytes[i] % 64];
    key[WS_KEY_LEN - 3] = letters[((unsigned char)bytes[0] % 4) * 16]; /* the last of 22 letters has two bits */
    key[WS_KEY_LEN - 2] = key[WS_KEY_LEN - 1] = '=';
}

static bool duct_begin(struct probe *probe, struct duct_pool *ducts, const struct address *address) {
    int fd = socket_connect(address, NULL, SOCKET_BUFFER_BYTES, SOCKET_BUFFER_BYTES);
    if (fd < 0 && error_verdict(fd) != PROBE_SHORTAGE && fd != -EMFILE && fd != -ENFILE && fd != -EADDRNOTAVAIL)
        probe->sent = SIZE_MAX; /* told by the deadline, at once */
    else if (fd < 0)
        return false;
    else
        probe->duct = duct_new(ducts, fd, duct_event, probe);
    return probe->duct || probe->sent == SIZE_MAX;
}

static void refuse(struct timer *timer) {
    finish(LIST_OF(timer, struct probe, deadline), PROBE_REFUSED, 0);
}

struct probe *probe_begin(struct loop *loop, struct duct_pool *ducts, const struct address *address,
                          const struct check *check, probe_done *done, void *context) {
    struct probe *probe = mem_alloc(sizeof *probe);
    if (!probe)
        return NULL;
    memset(probe, 0, offsetof(struct probe, memory));
    probe->loop = loop;
    probe->check = check;
    probe->done = done;
    probe->context = context;
    probe->burial.run = bury;
    list_init(&probe->burial.node);
    key_make(probe->key);
    probe->out = builder_make(probe->memory, sizeof probe->memory);
    if (!probe_request_build(&probe->out, check, str_make(probe->key, sizeof probe->key)) ||
        !duct_begin(probe, ducts, address)) {
        mem_free(probe);
        return NULL;
    }
    timer_init(&probe->deadline, probe->duct ? expire : refuse);
    loop_arm(loop, &probe->deadline, probe->duct ? check->timeout_ms : 0);
    return probe;
}
