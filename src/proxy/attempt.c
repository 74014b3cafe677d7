#include "proxy/attempt.h"

#include "proxy/variable/variables.h"

static bool attempt_add(struct exchange *x, struct str peer) {
    struct attempt *attempt = arena_alloc(&x->arena, sizeof *attempt);
    if (!attempt)
        return false;
    *attempt = (struct attempt){.peer = peer,
                                .began_ms = x->engine->loop->now_ms,
                                .connect_ms = ATTEMPT_NEVER,
                                .header_ms = ATTEMPT_NEVER,
                                .response_ms = ATTEMPT_NEVER};
    if (x->attempt)
        x->attempt->next = attempt;
    else
        x->attempts = attempt;
    x->attempt = attempt;
    return true;
}

bool attempt_begin(struct exchange *x, struct str peer) {
    attempt_end(x, 0);
    if (!attempt_add(x, peer))
        return false;
    if (!x->first_attempt)
        x->first_attempt = x->attempt;
    return true;
}

void attempt_separate(struct exchange *x) {
    attempt_end(x, 0);
    x->first_attempt = NULL;
    if (x->attempt && x->attempt->peer.len && attempt_add(x, STR("")))
        x->attempt->is_over = true;
}

/* Of the body, as it came: with the sizes of its chunks, as nginx counts. */
static uint64_t body_length(const struct exchange *x) {
    if (!x->response || x->is_tunnel)
        return 0;
    bool is_plain = x->down.body.framing != H1_CHUNKED || x->informational;
    return is_plain ? x->down.bytes : x->attempt->received - x->response->len;
}

void attempt_end(struct exchange *x, unsigned status) {
    struct attempt *attempt = x->attempt;
    if (!attempt || attempt->is_over)
        return;
    attempt->is_over = true;
    if (status)
        attempt->status = status;
    attempt->response_ms = (int64_t)(x->engine->loop->now_ms - attempt->began_ms);
    attempt->length = body_length(x);
    if (!x->has_sent)
        attempt->sent = 0; /* the connection did not come about */
}

void attempt_keep_names(struct exchange *x) {
    for (struct attempt *at = x->attempts; at; at = at->next)
        at->peer = arena_copy(&x->arena, at->peer);
}

uint64_t attempt_spent_ms(const struct exchange *x) {
    return x->first_attempt ? x->engine->loop->now_ms - x->first_attempt->began_ms : 0;
}

/* ---- variables ---- */

static void time_build(struct builder *out, int64_t ms) {
    if (ms == ATTEMPT_NEVER)
        builder_char(out, '-');
    else
        builder_thousandths(out, (uint64_t)ms);
}

static void value_build(const struct exchange *x, const struct attempt *attempt, enum variable_id id,
                        struct builder *out) {
    switch (id) {
    case VARIABLE_UPSTREAM_ADDR:
        builder_str(out, attempt->peer);
        break;
    case VARIABLE_UPSTREAM_STATUS:
        if (attempt->status)
            builder_u64(out, attempt->status);
        else
            builder_char(out, '-');
        break;
    case VARIABLE_UPSTREAM_CONNECT_TIME:
        time_build(out, attempt->connect_ms);
        break;
    case VARIABLE_UPSTREAM_HEADER_TIME:
    case VARIABLE_UPSTREAM_FIRST_BYTE_TIME:
        time_build(out, attempt->header_ms);
        break;
    case VARIABLE_UPSTREAM_RESPONSE_TIME:
    case VARIABLE_UPSTREAM_SESSION_TIME:
        time_build(out, attempt->response_ms);
        break;
    case VARIABLE_UPSTREAM_RESPONSE_LENGTH:
        builder_u64(out, attempt->is_over ? attempt->length : x->response ? x->down.bytes : 0);
        break;
    case VARIABLE_UPSTREAM_BYTES_RECEIVED:
        builder_u64(out, attempt->received);
        break;
    default:
        builder_u64(out, attempt->sent);
        break;
    }
}

/* ", " stands between two servers, " : " where an internal redirection was. */
static void values_build(const struct exchange *x, enum variable_id id, struct builder *out) {
    for (const struct attempt *at = x->attempts; at; at = at->next) {
        if (!at->peer.len) {
            builder_str(out, at->next ? STR(" : ") : STR(""));
            continue;
        }
        value_build(x, at, id, out);
        if (at->next && at->next->peer.len)
            builder_str(out, STR(", "));
    }
}

static struct str without_spaces(struct str s) {
    while (s.len && s.ptr[0] == ' ')
        s = str_from(s, 1);
    return s;
}

/* The value of the Set-Cookie of that name in the last server's answer. */
static void cookie_build(const struct h1_head *response, struct str name, struct builder *out) {
    for (unsigned i = 0; response && i < response->field_count; i++) {
        const struct h1_field *field = &response->fields[i];
        struct str value = h1_field_value(response, field);
        if (!str_eq_nocase(h1_field_name(response, field), STR("Set-Cookie")) ||
            !str_starts_nocase(value, name))
            continue;
        struct str rest = without_spaces(str_from(value, name.len));
        if (!str_starts(rest, STR("=")))
            continue;
        rest = without_spaces(str_from(rest, 1));
        builder_str(out, str_head(rest, str_find_char(rest, ';')));
        return;
    }
}

static void trailer_build(const struct passage *down, struct str name, struct builder *out) {
    struct str rest = str_make(down->trailer ? down->trailer : "", down->trailer ? down->trailer_len : 0);
    for (struct str line; rest.len && str_split(&rest, '\n', &line);) {
        size_t colon = str_find_char(line, ':');
        if (colon == STR_NONE || !variable_names_field(name, str_head(line, colon)))
            continue;
        struct str value = str_from(line, colon + 1);
        if (value.len && value.ptr[value.len - 1] == '\r')
            value.len--;
        builder_str(out, str_trim(value));
        return;
    }
}

bool attempt_eval(struct exchange *x, const struct variable *variable, struct builder *out) {
    switch (variable->id) {
    case VARIABLE_UPSTREAM_ADDR:
    case VARIABLE_UPSTREAM_STATUS:
    case VARIABLE_UPSTREAM_CONNECT_TIME:
    case VARIABLE_UPSTREAM_HEADER_TIME:
    case VARIABLE_UPSTREAM_FIRST_BYTE_TIME:
    case VARIABLE_UPSTREAM_RESPONSE_TIME:
    case VARIABLE_UPSTREAM_SESSION_TIME:
    case VARIABLE_UPSTREAM_RESPONSE_LENGTH:
    case VARIABLE_UPSTREAM_BYTES_RECEIVED:
    case VARIABLE_UPSTREAM_BYTES_SENT:
        values_build(x, variable->id, out);
        return true;
    case VARIABLE_UPSTREAM_LAST_SERVER_NAME:
        if (x->member)
            builder_str(out, x->member->server->host);
        return true;
    case VARIABLE_UPSTREAM_QUEUE_TIME:
        if (x->has_queued)
            time_build(out, (int64_t)x->queued_ms);
        return true;
    case VARIABLE_UPSTREAM_COOKIE:
        cookie_build(x->response, variable->name, out);
        return true;
    case VARIABLE_UPSTREAM_TRAILER:
        trailer_build(&x->down, variable->name, out);
        return true;
    default:
        return false;
    }
}
