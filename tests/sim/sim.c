#include "stage.h"

#include "subject.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* sim --seeds FROM:COUNT [--trace] [--log] [--config] [--all] [--calm|--rough]: plays worlds, one a seed, up to
 * the first in which an invariant breaks; with --all, all of them. */

static struct options {
    uint64_t from, count;
    bool shows_config, goes_on;
    int calm; /* 1: calm worlds only, -1: rough ones only */
} options = {.from = 1, .count = 1000};

static void fault_print(const char *what) {
    if (options.goes_on) {
        printf("seed %llu: %s\n", (unsigned long long)world.seed, what);
        return;
    }
    fprintf(stderr, "\nseed %llu: %s\n", (unsigned long long)world.seed, what);
    fprintf(stderr, "the last lines of its trace (all: --seeds %llu:1 --trace):\n",
            (unsigned long long)world.seed);
    world_print_trace(60);
}

static void on_signal(int number) {
    fault_print(number == SIGALRM ? "the world does not go on: an endless loop" : "the process dies");
    signal(number, SIG_DFL);
    if (number == SIGALRM)
        _exit(1);
    raise(number);
}

static void choose(struct setting *setting) {
    setting_draw(setting);
    bool wants_calm = options.calm > 0;
    for (int i = 0; options.calm && setting->profile.is_calm != wants_calm && i < 1000; i++)
        setting_draw(setting);
    if (options.shows_config)
        fprintf(stderr, "seed %llu: %s\n%s", (unsigned long long)world.seed,
                setting->profile.is_calm ? "calm" : "rough", setting->text);
}

static double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool play(uint64_t seed) {
    alarm(60);
    bool is_good = stage_play(seed, choose);
    if (!is_good)
        fault_print(world.failure);
    return is_good;
}

/* Every now and then a seed is played twice: the same must come out. */
static bool play_twice(uint64_t seed) {
    if (!play(seed))
        return false;
    uint64_t hash = world.hash, count = world.trace_count;
    if (seed % 16 || !play(seed))
        return seed % 16 != 0;
    if (hash == world.hash)
        return true;
    snprintf(world.failure, sizeof world.failure, "played twice, it is not the same: %llu and %llu trace lines",
             (unsigned long long)count, (unsigned long long)world.trace_count);
    fault_print(world.failure);
    return false;
}

static bool options_read(int count, char **words) {
    for (int i = 1; i < count; i++) {
        char *rest = NULL;
        if (!strcmp(words[i], "--seeds") && i + 1 < count) {
            options.from = strtoull(words[++i], &rest, 10);
            options.count = *rest == ':' ? strtoull(rest + 1, NULL, 10) : 1;
        } else if (!strcmp(words[i], "--trace")) {
            world.shows_trace = true;
        } else if (!strcmp(words[i], "--log")) {
            subject_is_loud = true;
        } else if (!strcmp(words[i], "--config")) {
            options.shows_config = true;
        } else if (!strcmp(words[i], "--all")) {
            options.goes_on = true;
        } else if (!strcmp(words[i], "--calm")) {
            options.calm = 1;
        } else if (!strcmp(words[i], "--rough")) {
            options.calm = -1;
        } else {
            fprintf(stderr,
                    "sim: what is %s? known: --seeds FROM:COUNT --trace --log --config --all --calm --rough\n",
                    words[i]);
            return false;
        }
    }
    return true;
}

struct sums {
    uint64_t requests, answers, tunnels, turns, virtual_ms;
};

static void progress(const struct sums *sums, uint64_t done, double began) {
    double passed = now_s() - began;
    fprintf(stderr, "\r%llu of %llu worlds, %.0f a second, %llu requests ", (unsigned long long)done,
            (unsigned long long)options.count, (double)done / (passed > 0 ? passed : 1),
            (unsigned long long)sums->requests);
}

int main(int argc, char **argv) {
    if (!options_read(argc, argv))
        return 2;
    static const int deadly[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGALRM};
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++)
        signal(deadly[i], on_signal);
    struct sums sums = {0};
    double began = now_s();
    uint64_t done = 0, failed = 0;
    for (; done < options.count && (!failed || options.goes_on); done++) {
        failed += !play_twice(options.from + done);
        sums.requests += ledger.requests;
        sums.answers += ledger.answers;
        sums.tunnels += ledger.tunnels;
        sums.turns += stage.turns;
        sums.virtual_ms += world_ms();
        if (done % 200 == 199 && isatty(STDERR_FILENO))
            progress(&sums, done + 1, began);
    }
    double passed = now_s() - began;
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
    printf("seeds %llu to %llu: %llu requests, %llu answers, %llu tunnels, %llu turns, %.1f simulated hours, "
           "%.0f seeds/s\n",
           (unsigned long long)options.from, (unsigned long long)(options.from + done - (done > 0)),
           (unsigned long long)sums.requests, (unsigned long long)sums.answers,
           (unsigned long long)sums.tunnels, (unsigned long long)sums.turns, (double)sums.virtual_ms / 3.6e6,
           (double)done / (passed > 0 ? passed : 1));
    printf("%llu passed, %llu failed\n", (unsigned long long)(done - failed), (unsigned long long)failed);
    world_end();
    return failed ? 1 : 0;
}
