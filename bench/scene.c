#include "scene.h"

#include "report.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { SAMPLE_NS = 100000000, VISITORS = 256, FLOOD_CHUNK = 65546, DRAIN_NS = 5000000, ONSET_MS = 1500 };
static const uint64_t SECOND_NS = 1000000000;

struct scene {
    const struct scene_settings *settings;
    struct talk talk;
    struct visit visit;
    struct client *troubles;
    uint64_t trouble_closed, trouble_answered, trouble_complete;
    unsigned next_slow;
    uint64_t slow_due_ns, slow_period_ns; /* no period: nobody is slow */
    unsigned signals;
    uint64_t signal_due_ns;
    uint64_t pss_before, pss_peak;
};

/* -- the troublemakers -- */

static char flood_path[64];

static void stall_connected(struct client *c) {
    client_upgrade(c, flood_path);
}

static void stall_bytes(struct client *c, uint8_t *data, size_t len) {
    struct scene *scene = c->owner;
    if (c->phase == CLIENT_ASKING) {
        if (!client_upgraded(c, &data, &len))
            return;
        client_opened(c);
        c->deaf = true;
    }
    c->in_at += len;
    uint64_t whole = (scene->settings->flood_bytes / FLOOD_CHUNK + 1) * FLOOD_CHUNK + 4;
    if (c->in_at == whole) {
        scene->trouble_complete++;
        client_close(c);
    }
}

static void trouble_closed(struct client *c, int error) {
    struct scene *scene = c->owner;
    (void)error;
    scene->trouble_closed++;
}

static const struct role staller = {stall_connected, stall_bytes, NULL, trouble_closed};

static void slow_connected(struct client *c) {
    client_opened(c);
}

/* An answer before the request is whole can only be a 408. */
static void slow_bytes(struct client *c, uint8_t *data, size_t len) {
    struct scene *scene = c->owner;
    scene->trouble_answered += c->in_at == 0 && len >= 12 && !memcmp(data, "HTTP/1.1 408", 12);
    c->in_at += len;
}

static const struct role slowpoke = {slow_connected, slow_bytes, NULL, trouble_closed};

static uint64_t slow_due(struct scene *scene, uint64_t now) {
    static const char head[] = "GET /slow HTTP/1.1\r\nHost: bench.localhost\r\nX-Slow: ";
    if (!scene->slow_period_ns)
        return UINT64_MAX;
    while (scene->slow_due_ns <= now) {
        struct client *c = &scene->troubles[scene->next_slow];
        scene->next_slow = (scene->next_slow + 1) % scene->settings->troubles;
        scene->slow_due_ns += scene->slow_period_ns;
        if (c->phase != CLIENT_OPEN)
            continue;
        char byte = c->serial < sizeof head - 1 ? head[c->serial] : 'a';
        c->serial++;
        client_send(c, &byte, 1);
    }
    return scene->slow_due_ns - now;
}

static void join_connected(struct client *c) {
    client_upgrade(c, "/echo");
}

static void join_bytes(struct client *c, uint8_t *data, size_t len) {
    if (c->phase == CLIENT_ASKING && client_upgraded(c, &data, &len))
        client_opened(c);
}

static const struct role joiner = {join_connected, join_bytes, NULL, trouble_closed};

/* Each signal, and a tunnel that opens right after it and stays: the clients of a busy day. */
static uint64_t signal_due(struct scene *scene, uint64_t now) {
    if (!scene->signals)
        return UINT64_MAX;
    if (scene->signal_due_ns <= now) {
        if (kill(scene->settings->watch, scene->settings->signal))
            tool_fail("cannot signal process %d: %s", (int)scene->settings->watch, strerror(errno));
        struct client *c = &scene->troubles[--scene->signals];
        *c = (struct client){
            .index = scene->signals, .role = &joiner, .owner = scene, .crowd = scene->settings->crowd};
        client_start(c);
        scene->signal_due_ns += scene->settings->interval_ms * 1000000;
    }
    return scene->signal_due_ns > now ? scene->signal_due_ns - now : 0;
}

/* -- time passes -- */

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* Reading a process's memory map takes its lock, so it is done seldom. */
static void sample(struct scene *scene) {
    uint64_t pss = watch_pss(scene->settings->watch);
    if (pss > scene->pss_peak)
        scene->pss_peak = pss;
}

static uint64_t all_due(void *with, uint64_t now) {
    struct scene *scene = with;
    uint64_t wait = least(talk_due(&scene->talk, now), visit_due(&scene->visit, now));
    return least(wait, least(slow_due(scene, now), signal_due(scene, now)));
}

static void pass(struct scene *scene, uint64_t ms) {
    uint64_t now = tool_now_ns(), end = now + ms * 1000000, next_sample = now + SAMPLE_NS;
    while (now < end || scene->signals) {
        crowd_turn(scene->settings->crowd, SAMPLE_NS / 10);
        now = tool_now_ns();
        if (now >= next_sample) {
            sample(scene);
            next_sample = now + 5 * SAMPLE_NS;
        }
    }
}

/* Nobody starts anything new; what is under way may end, for at most 5 s. */
static void settle(struct scene *scene) {
    uint64_t end = tool_now_ns() + 5 * SECOND_NS;
    scene->talk.budget = 0;
    scene->visit.period_ns = 0;
    while ((scene->talk.answered + scene->talk.lost + scene->talk.wrong < scene->talk.sent ||
            visit_pending(&scene->visit)) &&
           tool_now_ns() < end)
        crowd_turn(scene->settings->crowd, DRAIN_NS);
}

static void forget(struct scene *scene) {
    histogram_reset(&scene->talk.latency);
    histogram_reset(&scene->visit.latency);
}

static void report_times(struct scene *scene, const char *when) {
    char name[32];
    snprintf(name, sizeof name, "%s_talk", when);
    report_latency(name, &scene->talk.latency);
    snprintf(name, sizeof name, "%s_visit", when);
    report_latency(name, &scene->visit.latency);
    forget(scene);
}

/* The trouble begins: connections open and buffers fill. What that costs is told apart from what it costs to
 * hold. */
static void onset(struct scene *scene) {
    pass(scene, ONSET_MS);
    report_times(scene, "onset");
}

static void begin(struct scene *scene, const struct scene_settings *settings) {
    *scene = (struct scene){.settings = settings};
    scene->troubles = tool_alloc(settings->troubles, sizeof *scene->troubles);
    if (settings->talkers)
        talk_open(&scene->talk, settings->crowd, settings->talkers, settings->talk_size, "/echo");
    talk_pace(&scene->talk, settings->talkers && settings->talk_rate ? UINT64_MAX : 0, settings->talk_rate);
    visit_init(&scene->visit, settings->crowd, VISITORS, settings->visit_rate);
    settings->crowd->due = all_due;
    settings->crowd->due_with = scene;
    pass(scene, 300);
    forget(scene);
    pass(scene, settings->hold_ms);
    report_open();
    report_times(scene, "before");
    scene->pss_before = scene->pss_peak = watch_pss(settings->watch);
    report_count("pss_before", scene->pss_before);
    report_count("processes_before", watch_processes(settings->watch));
    report_count("tcp_memory_before", watch_tcp_memory());
}

static void report_sockets(const char *when, pid_t pid) {
    char name[48];
    struct watch_sockets sum = watch_socket_memory(pid);
    snprintf(name, sizeof name, "sockets_%s", when);
    report_count(name, sum.count);
    snprintf(name, sizeof name, "socket_receive_%s", when);
    report_count(name, sum.receive);
    snprintf(name, sizeof name, "socket_send_%s", when);
    report_count(name, sum.send);
    snprintf(name, sizeof name, "socket_largest_%s", when);
    report_count(name, sum.largest);
}

static void report_during(struct scene *scene) {
    sample(scene);
    report_times(scene, "during");
    report_count("tcp_memory_during", watch_tcp_memory());
    report_sockets("during", scene->settings->watch);
}

static void end(struct scene *scene) {
    const struct scene_settings *settings = scene->settings;
    settle(scene);
    report_count("pss_peak", scene->pss_peak);
    report_count("pss_after", watch_pss(settings->watch));
    report_count("processes_after", watch_processes(settings->watch));
    report_count("talk_sent", scene->talk.sent);
    report_count("talk_lost", scene->talk.sent - scene->talk.answered);
    report_count("talk_closed", scene->talk.closed);
    report_count("visit_done", scene->visit.done);
    report_count("visit_failed", scene->visit.failed + visit_pending(&scene->visit));
    report_count("visit_late", scene->visit.late);
    report_text("why", settings->crowd->why);
    report_close();
}

/* -- the scenes -- */

void scene_stall(const struct scene_settings *settings) {
    static struct scene scene;
    begin(&scene, settings);
    snprintf(flood_path, sizeof flood_path, "/flood?bytes=%llu", (unsigned long long)settings->flood_bytes);
    crowd_open(settings->crowd, scene.troubles, settings->troubles, &staller, &scene);
    onset(&scene);
    pass(&scene, settings->hold_ms);
    report_count("stalled", settings->troubles);
    report_count("stalled_cut", scene.trouble_closed);
    report_during(&scene);
    if (settings->resume_ms) {
        for (unsigned i = 0; i < settings->troubles; i++)
            client_listen(&scene.troubles[i]);
        uint64_t limit = tool_now_ns() + settings->resume_ms * 1000000;
        while (scene.trouble_complete + scene.trouble_closed < settings->troubles && tool_now_ns() < limit)
            pass(&scene, 20);
        report_count("resumed_complete", scene.trouble_complete);
    }
    end(&scene);
}

void scene_slow(const struct scene_settings *settings) {
    static struct scene scene;
    begin(&scene, settings);
    crowd_open(settings->crowd, scene.troubles, settings->troubles, &slowpoke, &scene);
    scene.slow_period_ns = settings->troubles ? SECOND_NS / settings->troubles : 0;
    scene.slow_due_ns = tool_now_ns();
    onset(&scene);
    pass(&scene, settings->hold_ms);
    report_count("slow", settings->troubles);
    report_count("slow_closed", scene.trouble_closed);
    report_count("slow_answered_408", scene.trouble_answered);
    report_during(&scene);
    end(&scene);
}

void scene_reload(const struct scene_settings *settings) {
    static struct scene scene;
    if (!settings->watch)
        tool_fail("reload needs --watch PID, the process to signal");
    begin(&scene, settings);
    uint64_t cpu = watch_cpu_ns(settings->watch);
    scene.signals = settings->troubles;
    scene.signal_due_ns = tool_now_ns();
    pass(&scene, settings->hold_ms);
    report_count("signals", settings->troubles);
    report_count("joined_closed", scene.trouble_closed);
    report_number("cpu_ms", (double)(watch_cpu_ns(settings->watch) - cpu) / 1e6);
    report_during(&scene);
    pass(&scene, settings->hold_ms);
    end(&scene);
}
