#include "proxy/front.h"

#include "base/mem.h"
#include "proxy/exchange.h"
#include "proxy/proxied.h"
#include "proxy/secure.h"

#include <errno.h>

enum { EMPTY_LINES_MAX = 16, LINGER_READS = 16 };

/* A body that nobody reads. */
struct front_skip {
    struct h1_body body;
    uint64_t keep_ms; /* for a next request, once it has passed */
};

static const struct site *front_site(const struct front *front) {
    return front->listener->listen ? front->listener->listen->default_site : NULL;
}

static void front_bury(struct task *task) {
    struct front *front = LIST_OF(task, struct front, burial);
    slab_free(&front->engine->fronts, front);
}

/* The counter of stub_status that a front in this phase is counted in besides; NULL: it waits. */
static struct counter *share_of(const struct front *front, enum front_phase phase) {
    switch (phase) {
    case FRONT_HEAD:
        return &front->engine->tally->reading;
    case FRONT_BUSY:
    case FRONT_SKIP:
    case FRONT_LINGER:
        return &front->engine->tally->writing;
    default:
        return NULL;
    }
}

static void phase_set(struct front *front, enum front_phase phase) {
    struct counter *before = share_of(front, front->phase), *after = share_of(front, phase);
    front->phase = (uint8_t)phase;
    if (before == after)
        return;
    if (before)
        counter_sub(before, 1);
    if (after)
        counter_add(after, 1);
}

/* Takes the front out of the engine; its duct is somebody else's, or closed. */
static void front_end(struct front *front) {
    struct engine *engine = front->engine;
    phase_set(front, FRONT_CLOSED);
    timer_disarm(&front->deadline);
    inbox_fini(&front->in);
    outbox_fini(&front->out);
    proxied_drop(front->proxied);
    front->proxied = NULL;
    mem_free(front->partial);
    front->partial = NULL;
    mem_free(front->skip);
    front->skip = NULL;
    list_remove(&front->node);
    engine->counts.fronts--;
    counter_sub(&engine->tally->active, 1);
    listener_drop_front(front->listener);
    loop_bury(engine->loop, &front->burial);
    engine_note_gone(engine);
}

void front_close(struct front *front) {
    if (front->phase == FRONT_CLOSED)
        return;
    if (front->exchange) {
        exchange_abort(front->exchange, WHY_SHUTDOWN);
        return; /* which came back here */
    }
    if (front->must_reset)
        duct_reset(front->duct);
    else
        duct_close(front->duct);
    front_end(front);
}

void front_give_up(struct front *front) {
    front->exchange = NULL;
    front_end(front);
}

static void linger_wait(struct front *front) {
    uint64_t now_ms = front->engine->loop->now_ms;
    uint64_t left_ms = front->linger_until_ms > now_ms ? front->linger_until_ms - now_ms : 0;
    timer_disarm(&front->deadline);
    loop_arm(front->engine->loop, &front->deadline,
             front->linger_pause_ms < left_ms ? front->linger_pause_ms : left_ms);
}

static void linger_read(struct front *front) {
    for (int i = 0; i < LINGER_READS; i++) {
        if (!front->duct->can_read)
            return;
        ssize_t got = duct_recv(front->duct, front->engine->loop->scratch, LOOP_SCRATCH_BYTES);
        if (got == -EAGAIN)
            return;
        if (got <= 0) {
            front_close(front);
            return;
        }
        linger_wait(front);
    }
    front_close(front); /* it sends faster than a mistaken client would */
}

/* An answer is out and bytes of the client are unread: closing now would make the kernel send RST, and the
 * client might lose the answer. So FIN is sent and the rest is read and dropped for a while (nginx's
 * lingering_close). */
static void linger_begin(struct front *front) {
    phase_set(front, FRONT_LINGER);
    inbox_fini(&front->in);
    duct_shutdown(front->duct);
    front->linger_until_ms = front->engine->loop->now_ms + front->linger_time_ms;
    linger_wait(front);
    linger_read(front);
}

/* Drops what is there of the body; *is_over: it ended. False when what came is none. */
static bool skip_take(struct front *front, bool *is_over) {
    struct str input = front->in.view, slice;
    enum h1_slice_kind kind;
    while (input.len && !*is_over) {
        enum codec_result result = h1_body_read(&front->skip->body, &input, &slice, &kind);
        if (result == CODEC_BAD)
            return false;
        *is_over = result == CODEC_DONE;
    }
    inbox_consume(&front->in, front->in.view.len - input.len);
    return true;
}

static void skip_end(struct front *front) {
    timer_disarm(&front->deadline);
    loop_arm(front->engine->loop, &front->deadline, front->skip->keep_ms);
    mem_free(front->skip);
    front->skip = NULL;
    phase_set(front, FRONT_IDLE);
    if (front->must_close)
        front_close(front);
}

/* Reads on to the next request. */
static void skip_read(struct front *front) {
    for (int i = 0; i <= LINGER_READS; i++) {
        bool is_over = false;
        ssize_t got = -ECONNABORTED;
        if (skip_take(front, &is_over)) {
            if (is_over) {
                skip_end(front);
                return;
            }
            got = front->duct->can_read ? inbox_fill(&front->in, front->duct, front->engine->loop->scratch,
                                                     LOOP_SCRATCH_BYTES, LOOP_SCRATCH_BYTES)
                                        : -EAGAIN;
        }
        if (got == -EAGAIN)
            return;
        if (got <= 0)
            break;
    }
    front_close(front); /* it ends or breaks off, or comes faster than is worth reading */
}

bool front_skip_body(struct front *front, const struct h1_body *body, uint64_t keep_ms) {
    front->skip = mem_alloc(sizeof *front->skip);
    if (front->skip)
        *front->skip = (struct front_skip){*body, keep_ms};
    return front->skip;
}

static enum why fault_why(const struct h1_head *head) {
    switch ((enum h1_fault)head->fault) {
    case H1_FAULT_VERSION:
        return WHY_BAD_VERSION;
    case H1_FAULT_CODING:
        return WHY_BAD_TRANSFER_CODING;
    case H1_FAULT_METHOD:
        return WHY_BAD_METHOD;
    case H1_FAULT_FIELD_COUNT:
        return WHY_HEAD_TOO_LARGE;
    case H1_FAULT_HOST:
        return h1_head_has(head, H1_HOST) ? WHY_BAD_HOST : WHY_NO_HOST;
    case H1_FAULT_FRAMING:
        return h1_head_has(head, H1_TRANSFER_ENCODING) ? WHY_BAD_FRAMING : WHY_BAD_LENGTH;
    case H1_FAULT_SYNTAX:
        return head->parsed ? WHY_BAD_HEADER : WHY_BAD_REQUEST;
    case H1_FAULT_NONE:
        break;
    }
    return WHY_BAD_REQUEST;
}

/* The client has gone where a request was expected. */
static void end_log(const struct front *front) {
    const struct log *log = &front->engine->log;
    char memory[128];
    struct builder client = builder_make(memory, sizeof memory);
    if (!log_wants(log, LOG_INFO))
        return;
    address_build_host(&client, &front->remote);
    struct str failure = tls_failure(front->duct);
    if (failure.len)
        log_line(log, LOG_INFO, "*%llu %.*s while SSL handshaking, client: %.*s, server: %s",
                 (unsigned long long)front->id, STR_ARG(failure), STR_ARG(builder_view(&client)),
                 front->listener->text);
    else if (front->phase == FRONT_IDLE)
        log_line(log, LOG_INFO, "*%llu client %.*s closed keepalive connection", (unsigned long long)front->id,
                 STR_ARG(builder_view(&client)));
    else
        log_line(log, LOG_INFO, "*%llu client %s connection while %s, client: %.*s, server: %s",
                 (unsigned long long)front->id, front->partial ? "prematurely closed" : "closed",
                 !front->partial          ? "waiting for request"
                 : front->partial->parsed ? "reading client request headers"
                                          : "reading client request line",
                 STR_ARG(builder_view(&client)), front->listener->text);
}

static void head_refuse(struct front *front, enum why why) {
    front->engine->counts.bad_requests++;
    mem_free(front->partial);
    front->partial = NULL;
    phase_set(front, FRONT_BUSY);
    timer_disarm(&front->deadline);
    front->must_close = front->must_linger = true;
    if (!exchange_begin_refused(front, why)) {
        front->exchange = NULL;
        front_close(front);
    }
}

static void head_accept(struct front *front) {
    mem_free(front->partial);
    front->partial = NULL;
    phase_set(front, FRONT_BUSY);
    timer_disarm(&front->deadline);
    if (!exchange_begin(front))
        head_refuse(front, WHY_NO_MEMORY);
}

/* The head is not whole: is it within the limits, and can its parse state be kept? */
static bool head_keep(struct front *front, const struct site *site, const struct h1_head *head) {
    size_t len = front->in.view.len;
    bool is_line_open = head->parsed == 0;
    if (len - head->parsed > site->large_buffer_bytes ||
        len > site->large_buffer_bytes * site->large_buffer_count) {
        head_refuse(front, is_line_open ? WHY_URI_TOO_LARGE : WHY_HEAD_TOO_LARGE);
        return false;
    }
    if (!front->partial) {
        front->partial = mem_alloc(sizeof *front->partial);
        if (!front->partial) {
            head_refuse(front, WHY_NO_MEMORY);
            return false;
        }
        *front->partial = *head;
    }
    if (front->phase != FRONT_HEAD) {
        phase_set(front, FRONT_HEAD);
        timer_disarm(&front->deadline); /* one deadline for the whole head, never moved by its bytes */
        loop_arm(front->engine->loop, &front->deadline, site->client_header_timeout_ms);
    }
    return true;
}

static bool empty_lines_skip(struct front *front) {
    struct str view = front->in.view;
    size_t skip = 0;
    if (front->partial)
        return true;
    while (skip < view.len && (view.ptr[skip] == '\r' || view.ptr[skip] == '\n'))
        skip++;
    inbox_consume(&front->in, skip);
    front->skipped += (uint32_t)skip;
    return front->skipped <= EMPTY_LINES_MAX;
}

/* large_client_header_buffers: no line may be longer than one of them, no head than all. */
static enum why size_why(const struct site *site, const struct h1_head *head) {
    if (head->field_count > site->max_headers)
        return WHY_HEAD_TOO_LARGE;
    if (head->len <= site->large_buffer_bytes)
        return WHY_NONE;
    if (head->target_len > site->large_buffer_bytes)
        return WHY_URI_TOO_LARGE;
    if (head->len > site->large_buffer_bytes * site->large_buffer_count)
        return WHY_HEAD_TOO_LARGE;
    for (unsigned i = 0; i < head->field_count; i++) {
        const struct h1_field *field = &head->fields[i];
        if (field->value_at + field->value_len - field->name_at > site->large_buffer_bytes)
            return WHY_HEAD_TOO_LARGE;
    }
    return WHY_NONE;
}

/* Looks at the bytes that are there. True when more are wanted. */
static bool head_parse(struct front *front) {
    const struct site *site = front_site(front);
    if (!site || !empty_lines_skip(front)) {
        if (site)
            head_refuse(front, WHY_BAD_REQUEST);
        else
            front_close(front);
        return false;
    }
    if (front->in.view.len == 0)
        return true;
    struct h1_head *head = front->partial ? front->partial : &front->engine->head;
    if (!front->partial)
        h1_head_init(head);
    switch (h1_request_parse(head, front->in.view.ptr, front->in.view.len)) {
    case CODEC_MORE:
        return head_keep(front, site, head);
    case CODEC_BAD:
        head_refuse(front, head->target_len > site->large_buffer_bytes ? WHY_URI_TOO_LARGE : fault_why(head));
        return false;
    case CODEC_DONE:
        break;
    }
    if (site->drops_odd_headers && h1_head_drop_odd(head, site->takes_underscores))
        log_line(&front->engine->log, LOG_INFO, "*%llu client sent invalid header line",
                 (unsigned long long)front->id);
    enum why why = size_why(site, head);
    if (why != WHY_NONE) {
        head_refuse(front, why);
        return false;
    }
    if (head != &front->engine->head)
        front->engine->head = *head;
    head_accept(front);
    return false;
}

static bool is_reading_heads(const struct front *front) {
    return front->phase == FRONT_NEW || front->phase == FRONT_HEAD || front->phase == FRONT_IDLE;
}

/* Reads once. False when there is nothing, or the connection has ended. */
static bool head_read(struct front *front) {
    const struct site *site = front_site(front);
    size_t most = site ? site->large_buffer_bytes * site->large_buffer_count + 1 : 1024;
    if (!front->duct->can_read)
        return false;
    ssize_t got = inbox_fill(&front->in, front->duct, front->engine->loop->scratch, LOOP_SCRATCH_BYTES, most);
    if (got == -EAGAIN)
        return false;
    if (got == -ENOMEM) {
        head_refuse(front, WHY_NO_MEMORY);
        return false;
    }
    if (got <= 0) {
        end_log(front);
        front_close(front);
        return false;
    }
    return true;
}

/* A connection of a stream has no head to be read: what it is begins at once; with TLS when the handshake is
 * over, which is the first that is told of the duct. */
static void stream_begin(struct front *front) {
    phase_set(front, FRONT_BUSY);
    front->must_close = true;
    timer_disarm(&front->deadline);
    if (exchange_begin_stream(front))
        return;
    front->exchange = NULL;
    front_close(front);
}

static bool is_of_stream(const struct front *front) {
    return front->listener->listen && front->listener->listen->is_stream;
}

/* The PROXY protocol's header, before all else. True once it is read. */
static bool proxied_run(struct front *front) {
    switch (proxied_read(front)) {
    case PROXIED_KNOWN:
        phase_set(front, FRONT_NEW);
        if (!is_of_stream(front))
            return true;
        loop_arm(front->engine->loop, &front->deadline, front_site(front)->client_header_timeout_ms);
        return false; /* a stream begins at once, or once its TLS does */
    case PROXIED_WAITS:
        return false;
    case PROXIED_BROKEN:
        break;
    }
    front_close(front);
    return false;
}

static void front_run(struct front *front) {
    if (front->is_running)
        return;
    front->is_running = true;
    bool is_hungry = front->in.view.len == 0 || front->partial;
    for (;;) {
        if (front->phase == FRONT_PROXIED && !proxied_run(front))
            break;
        if (front->phase == FRONT_SKIP) {
            skip_read(front);
            is_hungry = front->in.view.len == 0;
        }
        if (!is_reading_heads(front) || (is_hungry && !head_read(front)))
            break;
        is_hungry = head_parse(front);
    }
    front->is_running = false;
    if (front->phase == FRONT_CLOSED)
        return;
    if (front->phase == FRONT_NEW && is_of_stream(front)) {
        if (!front->duct->is_secure)
            stream_begin(front);
        return;
    }
    if (!inbox_settle(&front->in))
        front_close(front);
    else if (front->phase == FRONT_LINGER)
        linger_read(front);
}

static void stream_ready(struct front *front) {
    if (duct_error(front->duct) == 0) {
        stream_begin(front);
        return;
    }
    end_log(front);
    front_close(front);
}

static void front_ready(struct duct *duct) {
    struct front *front = duct->owner;
    if (front->phase == FRONT_BUSY) {
        exchange_front_ready(front->exchange);
        if (front->phase != FRONT_CLOSED && !inbox_settle(&front->in))
            front_close(front);
    } else if (front->phase == FRONT_LINGER) {
        linger_read(front);
    } else if (front->phase == FRONT_NEW && is_of_stream(front)) {
        stream_ready(front);
    } else if (front->phase != FRONT_CLOSED) {
        front_run(front);
    }
}

static void front_expire(struct timer *timer) {
    struct front *front = LIST_OF(timer, struct front, deadline);
    if (front->phase == FRONT_HEAD)
        head_refuse(front, WHY_CLIENT_HEAD_TIMEOUT);
    else
        front_close(front);
}

bool front_new(struct listener *listener, int fd, const struct address *remote) {
    struct engine *engine = listener->engine;
    const struct site *site = listener->listen ? listener->listen->default_site : NULL;
    struct front *front = site ? slab_new(&engine->fronts) : NULL;
    if (!front) {
        socket_close(fd);
        return false;
    }
    front->engine = engine;
    front->listener = listener;
    struct duct *duct = secure_accept(engine, listener->listen, fd, front_ready, front);
    if (!duct) {
        slab_free(&engine->fronts, front);
        return false;
    }
    front->duct = duct;
    front->id = engine->counts.accepted * engine->loops + engine->index;
    front->remote = *remote;
    front->accepted_ms = engine->loop->now_ms;
    front->phase = listener->listen->has_proxy_protocol ? FRONT_PROXIED : FRONT_NEW;
    front->burial.run = front_bury;
    list_init(&front->burial.node);
    inbox_init(&front->in, &engine->counts.buffered_bytes);
    outbox_init(&front->out, duct, &engine->counts.buffered_bytes);
    timer_init(&front->deadline, front_expire);
    bool is_proxied = listener->listen->is_stream && front->phase == FRONT_PROXIED;
    loop_arm(engine->loop, &front->deadline,
             is_proxied ? site->proxy_protocol_timeout_ms : site->client_header_timeout_ms);
    list_append(&engine->front_list, &front->node);
    listener_take_front(listener);
    engine->counts.fronts++;
    counter_add(&engine->tally->active, 1);
    counter_add(&engine->tally->handled, 1);
    if (listener->listen->is_stream && front->phase == FRONT_NEW && !duct->is_secure)
        stream_begin(front);
    return true;
}

void front_resume(struct front *front) {
    front->exchange = NULL;
    front->skipped = 0;
    front->is_pipelined = front->in.view.len > 0;
    phase_set(front, front->skip ? FRONT_SKIP : FRONT_IDLE);
    if (front->must_close) {
        /* With bytes unread, such as a pipelined request, closing would send RST. */
        bool has_unread = !front->is_cut && !front->never_lingers &&
                          (front->must_linger || front->in.view.len || front->duct->can_read);
        if (has_unread && outbox_is_empty(&front->out) && !front->duct->has_end)
            linger_begin(front);
        else
            front_close(front);
        return;
    }
    front_run(front);
}

void front_retire(struct front *front) {
    uint64_t now_ms = front->engine->loop->now_ms;
    front->must_close = front->must_close || front->phase != FRONT_IDLE;
    if (front->phase == FRONT_IDLE && front->kept_until_ms > now_ms) { /* one request more is taken meanwhile */
        timer_disarm(&front->deadline);
        loop_arm(front->engine->loop, &front->deadline, front->kept_until_ms - now_ms);
        front->must_close = true;
    } else if (front->phase == FRONT_PROXIED || front->phase == FRONT_NEW || front->phase == FRONT_IDLE ||
               front->phase == FRONT_SKIP) {
        front_close(front);
    }
}
