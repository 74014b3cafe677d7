#include "admin/api.h"

#include "admin/text.h"
#include "base/version.h"

/* JSON by a builder: the members of an object follow each other with a comma that the next brings along. */
static void name_build(struct builder *out, const char *name) {
    if (out->len && out->ptr[out->len - 1] != '{' && out->ptr[out->len - 1] != '[')
        builder_char(out, ',');
    builder_format(out, "\"%s\":", name);
}

static void number_build(struct builder *out, const char *name, uint64_t value) {
    name_build(out, name);
    builder_u64(out, value);
}

static void text_build(struct builder *out, const char *name, struct str text) {
    name_build(out, name);
    builder_char(out, '"');
    text_build_json(out, text);
    builder_char(out, '"');
}

static void flag_build(struct builder *out, const char *name, bool value) {
    name_build(out, name);
    builder_str(out, value ? STR("true") : STR("false"));
}

static void element_begin(struct builder *out) {
    if (out->ptr[out->len - 1] != '[')
        builder_char(out, ',');
    builder_char(out, '{');
}

static void milliseconds_build(struct builder *out, const char *name, uint64_t us) {
    name_build(out, name);
    builder_thousandths(out, us);
}

/* ---- peers ---- */

static void answers_build(struct builder *out, const struct meter_sum *sum) {
    static const char *const names[METER_STATUSES] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
    name_build(out, "responses");
    builder_char(out, '{');
    for (unsigned i = 1; i < METER_STATUSES; i++)
        number_build(out, names[i], sum->answers[i]);
    builder_char(out, '}');
}

/* Only the causes that there were. */
static void failures_build(struct builder *out, const struct meter_sum *sum) {
    name_build(out, "failures");
    builder_char(out, '{');
    for (unsigned why = 0; why < WHY_COUNT; why++)
        if (sum->failures[why])
            number_build(out, why_info((enum why)why)->name, sum->failures[why]);
    builder_char(out, '}');
}

static void check_build(struct builder *out, const struct peer_check *check) {
    name_build(out, "check");
    builder_char(out, '{');
    number_build(out, "checks", atomic_load_explicit(&check->checks, memory_order_relaxed));
    number_build(out, "passed_in_a_row", atomic_load_explicit(&check->rises, memory_order_relaxed));
    number_build(out, "failed_in_a_row", atomic_load_explicit(&check->falls, memory_order_relaxed));
    number_build(out, "last_ms", atomic_load_explicit(&check->checked_ms, memory_order_relaxed));
    builder_char(out, '}');
}

static void peer_build(struct builder *out, const struct census_upstream *u, const struct census_peer *p) {
    const struct peer_check *check = &p->peer->check;
    element_begin(out);
    text_build(out, "name", str_of(p->peer->name));
    text_build(out, "server", p->member->server->name);
    text_build(out, "state", str_of(p->state));
    flag_build(out, "up", p->is_up);
    text_build(out, "why", p->why);
    number_build(out, "since_ms", atomic_load_explicit(&check->since_ms, memory_order_relaxed));
    number_build(out, "weight", p->member->weight);
    flag_build(out, "backup", p->member->is_backup);
    number_build(out, "active", p->active);
    number_build(out, "tunnels", p->tunnels);
    number_build(out, "sessions", p->sessions);
    number_build(out, "polling", p->polling);
    number_build(out, "requests", p->sum.requests);
    number_build(out, "upgraded", p->sum.tunnels);
    number_build(out, "bytes_sent", p->sum.bytes_up);
    number_build(out, "bytes_received", p->sum.bytes_down);
    answers_build(out, &p->sum);
    failures_build(out, &p->sum);
    milliseconds_build(out, "p50_ms", meter_sum_quantile_us(&p->sum, 0.5));
    milliseconds_build(out, "p99_ms", meter_sum_quantile_us(&p->sum, 0.99));
    if (u->upstream->check)
        check_build(out, check);
    builder_char(out, '}');
}

/* ---- the past ---- */

static void series_build(struct builder *out, const char *name, const struct history_sample *samples,
                         size_t count, uint64_t (*value)(const struct history_sample *)) {
    name_build(out, name);
    builder_char(out, '[');
    for (size_t i = 0; i < count; i++)
        builder_format(out, i ? ",%ju" : "%ju", (uintmax_t)value(&samples[i]));
    builder_char(out, ']');
}

static uint64_t requests_of(const struct history_sample *sample) {
    return sample->requests;
}
static uint64_t failures_of(const struct history_sample *sample) {
    return sample->failures;
}
static uint64_t tunnels_of(const struct history_sample *sample) {
    return sample->tunnels;
}
static uint64_t bytes_of(const struct history_sample *sample) {
    return sample->bytes;
}

static void history_build(struct builder *out, struct history *history, struct str key) {
    struct history_sample samples[HISTORY_SAMPLES];
    if (!history)
        return;
    size_t count = history_read(history, key, samples);
    name_build(out, "history");
    builder_char(out, '{');
    number_build(out, "step_ms", HISTORY_STEP_MS);
    series_build(out, "requests", samples, count, requests_of);
    series_build(out, "failures", samples, count, failures_of);
    series_build(out, "tunnels", samples, count, tunnels_of);
    series_build(out, "bytes", samples, count, bytes_of);
    builder_char(out, '}');
}

/* ---- the whole ---- */

static struct str method_of(const struct upstream *upstream) {
    switch (upstream->balance) {
    case BALANCE_ROUND_ROBIN:
        return STR("round robin");
    case BALANCE_LEAST_CONN:
        return STR("least_conn");
    case BALANCE_HASH:
        return STR("hash");
    case BALANCE_HASH_CONSISTENT:
        return STR("hash consistent");
    case BALANCE_IP_HASH:
        return STR("ip_hash");
    case BALANCE_RANDOM:
    case BALANCE_RANDOM_TWO:
        return STR("random");
    }
    return STR("");
}

static void upstream_build(struct builder *out, const struct census_upstream *u, struct history *history) {
    element_begin(out);
    text_build(out, "name", u->upstream->name);
    text_build(out, "kind", u->upstream->is_stream ? STR("stream") : STR("http"));
    text_build(out, "method", method_of(u->upstream));
    text_build(out, "sticky",
               u->upstream->is_sticky_by_sid ? STR("sid")
               : u->upstream->sticky         ? STR("sticky")
                                             : STR(""));
    flag_build(out, "checked", u->upstream->check != NULL);
    number_build(out, "up", u->up);
    name_build(out, "peers");
    builder_char(out, '[');
    for (size_t i = 0; i < u->count; i++)
        peer_build(out, u, &u->peers[i]);
    builder_char(out, ']');
    history_build(out, history, u->upstream->key);
    builder_char(out, '}');
}

static void listener_build(struct builder *out, const struct census_listener *l) {
    const struct listen *listen = l->listen;
    element_begin(out);
    text_build(out, "address", listen->text);
    text_build(out, "kind", listen->is_stream ? STR("stream") : STR("http"));
    flag_build(out, "tls", listen->is_secure);
    text_build(out, "server_name", site_name(listen->default_site));
    number_build(out, "active", l->active);
    number_build(out, "accepted", l->accepted);
    builder_char(out, '}');
}

static void totals_build(struct builder *out, const struct census *census) {
    name_build(out, "connections");
    builder_char(out, '{');
    number_build(out, "active", census->tally.active);
    number_build(out, "reading", census->tally.reading);
    number_build(out, "writing", census->tally.writing);
    number_build(out, "waiting", census->tally.waiting);
    number_build(out, "accepted", census->tally.accepted);
    number_build(out, "handled", census->tally.handled);
    builder_char(out, '}');
    number_build(out, "requests", census->tally.requests);
    number_build(out, "tunnels", census->tunnels);
    number_build(out, "sessions", census->sessions);
}

static void reloads_build(struct builder *out, const struct history_facts *facts) {
    name_build(out, "reloads");
    builder_char(out, '{');
    number_build(out, "done", facts->reloads_done);
    number_build(out, "failed", facts->reloads_failed);
    number_build(out, "last_ms", facts->reload_ms);
    flag_build(out, "last_done", facts->is_reload_done);
    builder_char(out, '}');
}

void api_build(struct builder *out, const struct engine *engine, const struct census *census,
               struct history *history) {
    builder_char(out, '{');
    number_build(out, "time_ms", census->time_ms);
    struct history_facts facts = history_facts(engine->report_context);
    text_build(out, "version", STR(VERSION));
    number_build(out, "started_ms", facts.started_ms);
    text_build(out, "hostname", engine->hostname ? str_of(engine->hostname) : STR(""));
    number_build(out, "pid", engine->pid);
    number_build(out, "loops", engine->loops);
    reloads_build(out, &facts);
    totals_build(out, census);
    name_build(out, "listeners");
    builder_char(out, '[');
    for (size_t i = 0; i < census->listener_count; i++)
        listener_build(out, &census->listeners[i]);
    builder_char(out, ']');
    name_build(out, "upstreams");
    builder_char(out, '[');
    for (size_t i = 0; i < census->upstream_count; i++)
        upstream_build(out, &census->upstreams[i], history);
    builder_char(out, ']');
    history_build(out, history, STR(""));
    builder_str(out, STR("}\n"));
}
