#include "admin/metrics.h"

#include "admin/text.h"
#include "base/version.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Of the process, as the kernel tells it; 0: it does not. proc(5): "size resident shared ..." in pages. */
static uint64_t resident_bytes(void) {
    char text[128];
    unsigned long long pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (len <= 0)
        return 0;
    text[len] = '\0';
    return sscanf(text, "%*u %llu", &pages) == 1 ? pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void head_build(struct builder *out, const char *name, const char *type, const char *help) {
    builder_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void plain_build(struct builder *out, const char *name, const char *type, const char *help,
                        uint64_t value) {
    head_build(out, name, type, help);
    builder_format(out, "%s %llu\n", name, (unsigned long long)value);
}

struct telling {
    struct builder *out;
    const char *name;
    const struct census_upstream *upstream;
    const struct census_peer *peer;
};

/* name{upstream="u",peer="p" */
static void sample_begin(const struct telling *t, const char *suffix) {
    builder_format(t->out, "%s%s{upstream=\"", t->name, suffix);
    text_build_label(t->out, t->upstream->upstream->key);
    builder_str(t->out, STR("\",peer=\""));
    text_build_label(t->out, str_of(t->peer->peer->name));
    builder_char(t->out, '"');
}

static void sample_end(const struct telling *t, uint64_t value) {
    builder_format(t->out, "} %llu\n", (unsigned long long)value);
}

static void sample_build(const struct telling *t, uint64_t value) {
    sample_begin(t, "");
    sample_end(t, value);
}

typedef void peer_tell(const struct telling *t);

static void peers_build(struct builder *out, const struct census *census, const char *name, const char *type,
                        const char *help, peer_tell *tell) {
    head_build(out, name, type, help);
    for (size_t i = 0; i < census->upstream_count; i++)
        for (size_t j = 0; j < census->upstreams[i].count; j++)
            tell(&(struct telling){out, name, &census->upstreams[i], &census->upstreams[i].peers[j]});
}

static void up_tell(const struct telling *t) {
    sample_build(t, t->peer->is_up);
}
static void weight_tell(const struct telling *t) {
    sample_build(t, t->peer->member->weight);
}
static void active_tell(const struct telling *t) {
    sample_build(t, t->peer->active);
}
static void tunnels_tell(const struct telling *t) {
    sample_build(t, t->peer->tunnels);
}
static void sessions_tell(const struct telling *t) {
    sample_build(t, t->peer->sessions);
}
static void requests_tell(const struct telling *t) {
    sample_build(t, t->peer->sum.requests);
}
static void upgraded_tell(const struct telling *t) {
    sample_build(t, t->peer->sum.tunnels);
}
static void sent_tell(const struct telling *t) {
    sample_build(t, t->peer->sum.bytes_up);
}
static void received_tell(const struct telling *t) {
    sample_build(t, t->peer->sum.bytes_down);
}
static void checks_tell(const struct telling *t) {
    sample_build(t, atomic_load_explicit(&t->peer->peer->check.checks, memory_order_relaxed));
}

static void responses_tell(const struct telling *t) {
    for (unsigned i = 1; i < METER_STATUSES; i++) {
        sample_begin(t, "");
        builder_format(t->out, ",code=\"%uxx\"", i);
        sample_end(t, t->peer->sum.answers[i]);
    }
}

/* A cause is told once it has been one: there are dozens. */
static void failures_tell(const struct telling *t) {
    for (unsigned why = 0; why < WHY_COUNT; why++) {
        if (!t->peer->sum.failures[why])
            continue;
        sample_begin(t, "");
        builder_format(t->out, ",cause=\"%s\"", why_info((enum why)why)->name);
        sample_end(t, t->peer->sum.failures[why]);
    }
}

static void seconds_build(struct builder *out, uint64_t us) {
    builder_format(out, "%llu.%06u", (unsigned long long)(us / 1000000), (unsigned)(us % 1000000));
}

static void latency_tell(const struct telling *t) {
    uint64_t below = 0;
    for (unsigned i = 0; i <= METER_LATENCIES; i++) {
        below += t->peer->sum.latencies[i];
        sample_begin(t, "_bucket");
        builder_str(t->out, STR(",le=\""));
        if (i < METER_LATENCIES)
            builder_format(t->out, "%g", meter_latency_us[i] / 1e6);
        else
            builder_str(t->out, STR("+Inf"));
        builder_char(t->out, '"');
        sample_end(t, below);
    }
    sample_begin(t, "_sum");
    builder_str(t->out, STR("} "));
    seconds_build(t->out, t->peer->sum.latency_us);
    builder_char(t->out, '\n');
    sample_begin(t, "_count");
    sample_end(t, below);
}

static void listeners_build(struct builder *out, const struct census *census) {
    head_build(out, "hawser_listener_accepted_total", "counter", "Connections accepted, by listening address.");
    for (size_t i = 0; i < census->listener_count; i++) {
        builder_str(out, STR("hawser_listener_accepted_total{listener=\""));
        text_build_label(out, census->listeners[i].listen->text);
        builder_format(out, "\"} %llu\n", (unsigned long long)census->listeners[i].accepted);
    }
    head_build(out, "hawser_listener_connections", "gauge",
               "Open client connections that are not tunnels, by listening address.");
    for (size_t i = 0; i < census->listener_count; i++) {
        builder_str(out, STR("hawser_listener_connections{listener=\""));
        text_build_label(out, census->listeners[i].listen->text);
        builder_format(out, "\"} %llu\n", (unsigned long long)census->listeners[i].active);
    }
}

static void connections_build(struct builder *out, const struct tally_sums *tally) {
    const struct {
        const char *state;
        uint64_t value;
    } states[] = {{"reading", tally->reading}, {"writing", tally->writing}, {"waiting", tally->waiting}};
    head_build(out, "hawser_connections", "gauge", "Clients' connections, by what they do; tunnels write.");
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        builder_format(out, "hawser_connections{state=\"%s\"} %llu\n", states[i].state,
                       (unsigned long long)states[i].value);
    plain_build(out, "hawser_connections_accepted_total", "counter", "Connections accepted.", tally->accepted);
    plain_build(out, "hawser_connections_handled_total", "counter", "Connections served.", tally->handled);
    plain_build(out, "hawser_requests_total", "counter", "Requests begun.", tally->requests);
}

/* A cause is told once it has been one: there are dozens. */
static void ended_build(struct builder *out, const struct tally_sums *tally) {
    head_build(out, "hawser_tunnels_ended_total", "counter", "Tunnels and streams that ended, by the cause.");
    for (unsigned why = 0; why < WHY_COUNT; why++)
        if (tally->ended[why])
            builder_format(out, "hawser_tunnels_ended_total{why=\"%s\"} %llu\n", why_info((enum why)why)->name,
                           (unsigned long long)tally->ended[why]);
}

static void seconds_plain_build(struct builder *out, const char *name, const char *help, uint64_t ms) {
    head_build(out, name, "gauge", help);
    builder_format(out, "%s ", name);
    builder_thousandths(out, ms);
    builder_char(out, '\n');
}

static void program_build(struct builder *out, const struct history_facts *facts) {
    head_build(out, "hawser_build_info", "gauge", "1, with the version as a label.");
    builder_str(out, STR("hawser_build_info{version=\"" VERSION "\"} 1\n"));
    seconds_plain_build(out, "process_start_time_seconds",
                        "When the process began to serve, in seconds since 1970.", facts->started_ms);
    uint64_t resident = resident_bytes();
    if (resident)
        plain_build(out, "process_resident_memory_bytes", "gauge", "Resident memory.", resident);
    head_build(out, "hawser_reloads_total", "counter", "Reloads of the configuration, by their result.");
    builder_format(out, "hawser_reloads_total{result=\"done\"} %llu\n",
                   (unsigned long long)facts->reloads_done);
    builder_format(out, "hawser_reloads_total{result=\"failed\"} %llu\n",
                   (unsigned long long)facts->reloads_failed);
    plain_build(out, "hawser_last_reload_successful", "gauge",
                "Did the last reload take effect? 1 before the first.", facts->is_reload_done);
    seconds_plain_build(out, "hawser_last_reload_timestamp_seconds",
                        "When the last reload was asked for, or the start.", facts->reload_ms);
}

void metrics_build(struct builder *out, const struct census *census, const struct history_facts *facts) {
    program_build(out, facts);
    connections_build(out, &census->tally);
    plain_build(out, "hawser_tunnels", "gauge", "Open WebSocket tunnels and streams.", census->tunnels);
    ended_build(out, &census->tally);
    plain_build(out, "hawser_sessions", "gauge", "Engine.IO sessions whose server is known.", census->sessions);
    listeners_build(out, census);
    static const struct {
        const char *name, *type, *help;
        peer_tell *tell;
    } metrics[] = {
        {"hawser_peer_up", "gauge", "Is the server given requests?", up_tell},
        {"hawser_peer_weight", "gauge", "Its weight.", weight_tell},
        {"hawser_peer_active", "gauge", "Requests, tunnels and streams under way.", active_tell},
        {"hawser_peer_tunnels", "gauge", "Open tunnels and streams.", tunnels_tell},
        {"hawser_peer_sessions", "gauge", "Engine.IO sessions that the server holds.", sessions_tell},
        {"hawser_peer_requests_total", "counter", "Requests given to the server, retries included.",
         requests_tell},
        {"hawser_peer_tunnels_total", "counter", "Tunnels and streams opened.", upgraded_tell},
        {"hawser_peer_sent_bytes_total", "counter", "Bytes sent to the server, counted as they pass.",
         sent_tell},
        {"hawser_peer_received_bytes_total", "counter", "Bytes received from it, counted as they pass.",
         received_tell},
        {"hawser_peer_responses_total", "counter", "Answers, by the class of their status.", responses_tell},
        {"hawser_peer_failures_total", "counter", "Failures that were the server's, by cause.", failures_tell},
        {"hawser_peer_checks_total", "counter", "Active health checks made.", checks_tell},
        {"hawser_peer_response_seconds", "histogram",
         "Time from choosing the server to the head of its answer.", latency_tell},
    };
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        peers_build(out, census, metrics[i].name, metrics[i].type, metrics[i].help, metrics[i].tell);
}
