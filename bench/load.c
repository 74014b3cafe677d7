/* The bench's client: loads a proxy on the loopback and tells what that cost the proxy. */
#include "crowd.h"
#include "report.h"
#include "scene.h"
#include "talk.h"
#include "watch.h"
#include "web.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static unsigned long conns = 100, size = 64, messages = 50000, warm = 5000, rate, sources = 1, seconds = 120;
static unsigned long watched, hold_ms = 2000, visits = 50, count = 100, bytes = 1ul << 30, resume_ms,
                              interval_ms = 50;
static unsigned long pace = 2000;
static const char *to, *signal_name = "HUP", *path = "/echo";
static struct crowd crowd;

static const struct tool_option rows[] = {
    {"to", TOOL_TEXT, &to, 0, 0, "the proxy's loopback address"},
    {"watch", TOOL_NUMBER, &watched, 0, 1ul << 30, "the proxy's pid: it and its children are measured"},
    {"conns", TOOL_NUMBER, &conns, 1, 30000, "connections (echo, poll, idle), handshakes at once, talkers"},
    {"size", TOOL_NUMBER, &size, 16, 1ul << 20, "bytes of a message"},
    {"messages", TOOL_NUMBER, &messages, 1, 1ul << 40, "messages, requests or handshakes that are measured"},
    {"warm", TOOL_NUMBER, &warm, 0, 1ul << 40, "those before that are not"},
    {"rate", TOOL_NUMBER, &rate, 0, 1000000, "echo: messages a second, 0 as fast as they come back"},
    {"path", TOOL_TEXT, &path, 0, 0, "echo, idle: the upgrade's target"},
    {"sources", TOOL_NUMBER, &sources, 1, 250, "connect from 127.0.0.1 to 127.0.0.N in turn"},
    {"hold", TOOL_NUMBER, &hold_ms, 100, 600000, "stall, slow, reload: ms before, and ms during the trouble"},
    {"pace", TOOL_NUMBER, &pace, 0, 1000000, "stall, slow, reload: messages a second of all talkers"},
    {"visits", TOOL_NUMBER, &visits, 0, 10000, "stall, slow, reload: new connections with a GET, a second"},
    {"count", TOOL_NUMBER, &count, 1, 30000, "stalled readers, slow writers, or signals"},
    {"bytes", TOOL_NUMBER, &bytes, 1, 1ul << 44, "stall: what the backend sends each"},
    {"resume", TOOL_NUMBER, &resume_ms, 0, 600000, "stall: then read on, for at most so many ms (0: not)"},
    {"signal", TOOL_TEXT, &signal_name, 0, 0, "reload: HUP or USR2"},
    {"interval", TOOL_NUMBER, &interval_ms, 0, 60000, "reload: ms between signals"},
    {"seconds", TOOL_NUMBER, &seconds, 1, 3600, "gives up after this time"},
};

static const char usage[] =
    "load COMMAND --to 127.0.0.1:PORT [--watch PID] [options]: prints one JSON object\n"
    "  echo       WebSocket messages, one in flight a connection, each echo verified\n"
    "  poll       GET and POST in turn over keep-alive connections, each with an Engine.IO session\n"
    "  handshake  connect, upgrade, 101, close\n"
    "  idle       tunnels that say nothing after a first echo: memory of each\n"
    "  stall      readers that stop while the backend floods them\n"
    "  slow       clients that send one header byte a second\n"
    "  reload     signals under talking tunnels; after each, one more tunnel opens and stays\n"
    "options (defaults):\n";

/* -- what is measured between two quiet moments -- */

struct span {
    uint64_t cpu_ns, wall_ns;
};

static struct span span_begin(void) {
    tool_sleep_ms(20); /* the proxy comes to rest, and its clock with it */
    return (struct span){watch_cpu_ns((pid_t)watched), tool_now_ns()};
}

static void span_end(const struct span *from, uint64_t done, const struct histogram *latency) {
    uint64_t wall = tool_now_ns() - from->wall_ns;
    tool_sleep_ms(20);
    uint64_t cpu = watch_cpu_ns((pid_t)watched) - from->cpu_ns;
    report_open();
    report_count("messages", done);
    report_number("seconds", (double)wall / 1e9);
    report_number("per_second", (double)done * 1e9 / (double)wall);
    report_number("cpu_ms", (double)cpu / 1e6);
    report_number("cpu_us", (double)cpu / 1e3 / (double)done);
    report_latency("", latency);
    report_close();
}

/* -- commands -- */

static void run_echo(void) {
    static struct talk talk;
    talk_open(&talk, &crowd, (unsigned)conns, size, path);
    if (warm)
        talk_run(&talk, warm, rate);
    histogram_reset(&talk.latency);
    struct span span = span_begin();
    talk_run(&talk, messages, rate);
    span_end(&span, messages, &talk.latency);
}

static void run_poll(void) {
    static struct poll poll;
    poll_open(&poll, &crowd, (unsigned)conns);
    if (warm)
        poll_run(&poll, warm);
    histogram_reset(&poll.latency);
    struct span span = span_begin();
    poll_run(&poll, messages);
    span_end(&span, messages, &poll.latency);
}

static void run_handshake(void) {
    static struct shake shake;
    shake_init(&shake, &crowd, (unsigned)conns);
    if (warm)
        shake_run(&shake, warm);
    histogram_reset(&shake.latency);
    struct span span = span_begin();
    shake_run(&shake, messages);
    span_end(&span, messages, &shake.latency);
}

/* Memory is read when it has stopped changing, for at most 2 s. */
static uint64_t settled_pss(void) {
    uint64_t last = watch_pss((pid_t)watched), now = last;
    for (unsigned i = 0; i < 8; i++) {
        tool_sleep_ms(250);
        now = watch_pss((pid_t)watched);
        if (now == last)
            break;
        last = now;
    }
    return now;
}

static void run_idle(void) {
    static struct talk first, talk;
    talk_open(&first, &crowd, 1, size, path);
    talk_run(&first, 1, 0);
    uint64_t pss = settled_pss(), tcp = watch_tcp_memory();
    talk_open(&talk, &crowd, (unsigned)conns, size, path);
    talk_run(&talk, conns, 0);
    uint64_t full = settled_pss();
    report_open();
    report_count("tunnels", conns);
    report_count("pss_before", pss);
    report_count("pss_after", full);
    report_number("pss_each", ((double)full - (double)pss) / (double)conns);
    report_number("tcp_memory_each", ((double)watch_tcp_memory() - (double)tcp) / (double)conns);
    crowd_close(talk.clients, talk.count);
    tool_sleep_ms(500);
    report_count("pss_closed", settled_pss());
    report_close();
}

static struct scene_settings scene_settings(void) {
    bool hup = !strcmp(signal_name, "HUP");
    if (!hup && strcmp(signal_name, "USR2"))
        tool_fail("--signal takes HUP or USR2, not \"%s\"", signal_name);
    return (struct scene_settings){.crowd = &crowd,
                                   .watch = (pid_t)watched,
                                   .talkers = (unsigned)conns,
                                   .talk_size = (unsigned)size,
                                   .talk_rate = pace,
                                   .visit_rate = visits,
                                   .hold_ms = hold_ms,
                                   .troubles = (unsigned)count,
                                   .flood_bytes = bytes,
                                   .resume_ms = resume_ms,
                                   .interval_ms = interval_ms,
                                   .signal = hup ? SIGHUP : SIGUSR2};
}

static void run_stall(void) {
    struct scene_settings settings = scene_settings();
    scene_stall(&settings);
}

static void run_slow(void) {
    struct scene_settings settings = scene_settings();
    scene_slow(&settings);
}

static void run_reload(void) {
    struct scene_settings settings = scene_settings();
    scene_reload(&settings);
}

static const struct command {
    const char *name;
    void (*run)(void);
} commands[] = {
    {"echo", run_echo},   {"poll", run_poll}, {"handshake", run_handshake}, {"idle", run_idle},
    {"stall", run_stall}, {"slow", run_slow}, {"reload", run_reload},
};

int main(int argc, char **argv) {
    size_t at = 0;
    tool_begin("load");
    if (argc < 2 || *argv[1] == '-')
        tool_options(argc > 1, argc > 1 ? argv + 1 : (char *[]){NULL}, rows, sizeof rows / sizeof *rows, usage);
    if (argc < 2)
        tool_fail("which command? --help lists them");
    while (at < sizeof commands / sizeof *commands && strcmp(commands[at].name, argv[1]))
        at++;
    if (at == sizeof commands / sizeof *commands)
        tool_fail("unknown command \"%s\"; --help lists them", argv[1]);
    tool_options(argc - 2, argv + 2, rows, sizeof rows / sizeof *rows, usage);
    if (!to)
        tool_fail("--to 127.0.0.1:PORT is missing");
    tool_life(seconds);
    tool_fd_limit();
    crowd_init(&crowd, tool_address(to), (unsigned)sources);
    commands[at].run();
    return 0;
}
