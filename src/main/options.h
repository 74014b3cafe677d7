#ifndef MAIN_OPTIONS_H
#define MAIN_OPTIONS_H

#include "base/arena.h"

/* The command line, nginx's letters and hawser's own. */

enum action {
    ACTION_SERVE,
    ACTION_TEST,    /* -t */
    ACTION_DUMP,    /* -T */
    ACTION_SIGNAL,  /* -s */
    ACTION_VERSION, /* -v, --version */
    ACTION_BUILD,   /* -V */
    ACTION_HELP,    /* -h, -?, --help */
    ACTION_INVITE,  /* nothing was asked for, and there is no configuration: a few words to begin with */
};

/* Where the one-liner's status page is unless -a says. */
#define OPTIONS_STATUS_HOST "127.0.0.1"
#define OPTIONS_STATUS_PORT 8081
#define OPTIONS_STATUS OPTIONS_STATUS_HOST ":8081"

struct options {
    enum action action;
    struct str config;  /* -c with the prefix applied, or the default; empty: the URLs are the configuration */
    struct str prefix;  /* -p, ending in '/'; else the directory of the configuration; empty: the working one */
    struct str globals; /* -g */
    struct str error_log; /* -e with the prefix applied; empty: not given */
    struct str listen;    /* -l; ":8080" when not given */
    struct str status;    /* -a; OPTIONS_STATUS when not given and URLs are served; empty: nowhere */
    struct str signal;    /* -s */
    struct str *urls;
    size_t url_count;
    bool is_status_asked; /* -a was given */
    bool is_quiet;        /* -q */
    bool is_long_version; /* --version: to the standard output */
};

/* Reads the command line. All text is the argument vector's or the arena's. False when it is not understood:
 * then *complaint is one sentence in the arena, which may hold a second line that helps. */
bool options_parse(struct options *options, int count, char **words, struct arena *arena,
                   struct str *complaint);

/* The text of --help. */
extern const char options_help[];
/* What is said when nothing was asked for. */
extern const char options_invitation[];

#endif
