#include "main/options.h"

#include "base/builder.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_DEFAULT "/etc/hawser/hawser.conf"
enum { COMPLAINT_MAX = 1000 };

const char options_help[] =
    "hawser: reverse proxy and load balancer for WebSocket and Socket.IO\n"
    "\n"
    "  hawser [-l ADDRESS] URL...     serve these servers; each Socket.IO session stays with its own\n"
    "  hawser -c FILE                 serve what an nginx configuration says\n"
    "\n"
    "  URL          http://HOST:PORT, HOST:PORT, PORT, unix:/path; https://HOST:PORT (certificates are not "
    "verified)\n"
    "  -l ADDRESS   listen there: :8080 (the default), 127.0.0.1:80, [::1]:80, unix:/path\n"
    "  -a ADDRESS   status page, /metrics and /api there: " OPTIONS_STATUS " (the default with URLs), or off\n"
    "  -c FILE      configuration file (default: " CONFIG_DEFAULT ")\n"
    "  -p PREFIX    directory for relative paths (default: the configuration file's)\n"
    "  -g TEXT      directives to be read before the file's, as in -g 'worker_processes 1;'\n"
    "  -e FILE      error log, until and unless the configuration names one (default: stderr)\n"
    "  -t           test the configuration, say what was understood, and exit\n"
    "  -T           the same, and print every file that was read\n"
    "  -q           with -t: only errors\n"
    "  -s SIGNAL    tell the running hawser: stop, quit, reload, reopen\n"
    "  -v, -V       version; version and what is built in\n"
    "  -h, -?       this help\n"
    "\n"
    "hawser stays in the foreground unless the configuration says \"daemon on;\". Manual: man hawser\n";

const char options_invitation[] =
    "hawser: nothing to serve yet. Begin with the servers of your application:\n"
    "\n"
    "  hawser http://127.0.0.1:3001 http://127.0.0.1:3002\n"
    "\n"
    "or with an nginx configuration:\n"
    "\n"
    "  hawser -c nginx.conf\n"
    "\n"
    "(" CONFIG_DEFAULT " would be read if it were there.) hawser -h tells the rest.\n";

struct parse {
    struct options *options;
    struct arena *arena;
    struct str *complaint;
    char **words;
    int count, at; /* the word being read */
    const char *config, *prefix, *error_log;
};

static bool complain(struct parse *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool complain(struct parse *p, const char *format, ...) {
    char memory[COMPLAINT_MAX];
    va_list list;
    va_start(list, format);
    int len = vsnprintf(memory, sizeof memory, format, list);
    va_end(list);
    size_t kept = len < 0 ? 0 : (size_t)len < sizeof memory ? (size_t)len : sizeof memory - 1;
    *p->complaint = arena_copy(p->arena, str_make(memory, kept));
    return false;
}

static struct str join(struct arena *arena, struct str a, struct str b, struct str c) {
    char *text = arena_alloc(arena, a.len + b.len + c.len + 1);
    if (!text)
        return STR("");
    struct builder out = builder_make(text, a.len + b.len + c.len + 1);
    builder_str(&out, a);
    builder_str(&out, b);
    builder_str(&out, c);
    builder_char(&out, '\0');
    return str_make(text, out.len - 1);
}

/* ---- the letters ---- */

static const char *const signals[] = {"stop", "quit", "reload", "reopen"};

static bool signal_set(struct parse *p, const char *value) {
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (str_eq(str_of(value), str_of(signals[i]))) {
            p->options->signal = str_of(value);
            p->options->action = ACTION_SIGNAL;
            return true;
        }
    return complain(p, "invalid option: \"-s %s\"\n  it is one of stop, quit, reload, reopen", value);
}

static bool value_set(struct parse *p, char letter, const char *value) {
    switch (letter) {
    case 'c':
        p->config = value;
        return true;
    case 'p':
        p->prefix = value;
        return true;
    case 'e':
        p->error_log = value;
        return true;
    case 'g':
        p->options->globals = str_of(value);
        return true;
    case 'l':
        if (p->options->listen.len)
            return complain(p,
                            "-l is given twice, and one address is listened on\n"
                            "  a configuration file may have more: listen %.*s; listen %s;",
                            STR_ARG(p->options->listen), value);
        p->options->listen = str_of(value);
        return true;
    case 'a':
        p->options->status = str_of(value);
        p->options->is_status_asked = true;
        return true;
    default:
        return signal_set(p, value);
    }
}

static const char *value_name(char letter) {
    switch (letter) {
    case 'c':
        return "file name";
    case 'p':
        return "directory name";
    case 'e':
        return "error log file name";
    case 'g':
        return "parameter";
    case 'a':
    case 'l':
        return "address";
    case 's':
        return "parameter";
    default:
        return NULL;
    }
}

static bool flag_set(struct parse *p, char letter) {
    struct options *options = p->options;
    switch (letter) {
    case '?':
    case 'h':
        options->action = ACTION_HELP;
        return true;
    case 'v':
        options->action = ACTION_VERSION;
        return true;
    case 'V':
        options->action = ACTION_BUILD;
        return true;
    case 't':
        if (options->action != ACTION_DUMP)
            options->action = ACTION_TEST;
        return true;
    case 'T':
        options->action = ACTION_DUMP;
        return true;
    case 'q':
        options->is_quiet = true;
        return true;
    default:
        return complain(p, "invalid option: \"%c\"\n  hawser -h tells which there are", letter);
    }
}

/* One word of letters, "-tq" or "-cFILE"; the value of the last one may be the next word. */
static bool letters_read(struct parse *p, const char *letters) {
    for (; *letters; letters++) {
        const char *wants = value_name(*letters);
        if (!wants) {
            if (!flag_set(p, *letters))
                return false;
            continue;
        }
        const char *value = letters[1] ? letters + 1 : p->at + 1 < p->count ? p->words[++p->at] : "";
        return *value ? value_set(p, *letters, value)
                      : complain(p, "option \"-%c\" requires %s", *letters, wants);
    }
    return true;
}

static bool long_read(struct parse *p, struct str word) {
    if (str_eq(word, STR("--help"))) {
        p->options->action = ACTION_HELP;
        return true;
    }
    if (str_eq(word, STR("--version"))) {
        p->options->action = ACTION_VERSION;
        p->options->is_long_version = true;
        return true;
    }
    return complain(p, "invalid option: \"%.*s\"\n  hawser -h tells which there are", STR_ARG(word));
}

/* ---- words without a dash ---- */

static bool is_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static bool url_add(struct parse *p, const char *word) {
    struct options *options = p->options;
    if (options->url_count == 0 && (strcmp(word, "run") == 0 || strcmp(word, "convert") == 0))
        return complain(p, "\"hawser %s\" is not supported\n  what is: hawser URL... and hawser -c nginx.conf",
                        word);
    if (is_file(word))
        return complain(p, "\"%s\" is a file, not a URL\n  to serve what it says: hawser -c %s", word, word);
    options->urls[options->url_count++] = str_of(word);
    return true;
}

static bool words_read(struct parse *p) {
    bool has_letters = true;
    for (p->at = 1; p->at < p->count; p->at++) {
        const char *word = p->words[p->at];
        bool is_fine;
        if (!has_letters || word[0] != '-')
            is_fine = url_add(p, word);
        else if (strcmp(word, "--") == 0)
            is_fine = true, has_letters = false;
        else if (word[1] == '-')
            is_fine = long_read(p, str_of(word));
        else
            is_fine = word[1] ? letters_read(p, word + 1) : complain(p, "invalid option: \"-\"");
        if (!is_fine)
            return false;
    }
    return true;
}

/* ---- what belongs together ---- */

static struct str directory_of(struct str path) {
    size_t len = path.len;
    while (len && path.ptr[len - 1] != '/')
        len--;
    return str_head(path, len);
}

static struct str prefixed(const struct parse *p, const char *path) {
    bool is_plain = path[0] == '/' || strcmp(path, "stderr") == 0 || strcmp(path, "off") == 0;
    return is_plain ? str_of(path) : join(p->arena, p->options->prefix, str_of(path), STR(""));
}

static bool paths_set(struct parse *p) {
    struct options *options = p->options;
    if (p->prefix) {
        struct str prefix = str_of(p->prefix);
        bool has_slash = prefix.ptr[prefix.len - 1] == '/';
        options->prefix = join(p->arena, prefix, has_slash ? STR("") : STR("/"), STR(""));
    }
    if (!options->url_count) {
        const char *fallback = p->prefix ? "conf/nginx.conf" : CONFIG_DEFAULT;
        options->config = prefixed(p, p->config ? p->config : fallback);
        if (!p->prefix)
            options->prefix = directory_of(options->config);
    }
    if (p->error_log)
        options->error_log = prefixed(p, p->error_log);
    return true;
}

static bool rules_check(struct parse *p) {
    struct options *options = p->options;
    bool has_listen = options->listen.len > 0;
    if (!has_listen)
        options->listen = STR(":8080");
    if (options->url_count && p->config)
        return complain(
            p, "either URLs or -c FILE\n  the servers may stand in the file: proxy_pass http://HOST:PORT;");
    if (options->url_count && options->globals.len)
        return complain(p, "-g adds to a configuration file; there is none when URLs are given");
    if (!options->url_count && has_listen)
        return complain(p, "-l goes with URLs\n  in a configuration file it is written: listen %.*s;",
                        STR_ARG(options->listen));
    if (!options->url_count && options->is_status_asked)
        return complain(p, "-a goes with URLs\n"
                           "  in a configuration file it is written: location = /status { check_status; }");
    if (str_eq(options->status, STR("off")))
        options->status = STR("");
    else if (options->url_count && !options->is_status_asked)
        options->status = STR(OPTIONS_STATUS);
    if (options->url_count && options->action == ACTION_SIGNAL)
        return complain(p, "-s finds the running hawser by the pid file that its configuration names\n"
                           "  one that serves URLs has none: kill -HUP its process");
    return true;
}

bool options_parse(struct options *options, int count, char **words, struct arena *arena,
                   struct str *complaint) {
    *options = (struct options){.action = ACTION_SERVE};
    options->urls = arena_zero(arena, (size_t)count + 1, sizeof *options->urls);
    if (!options->urls) {
        *complaint = STR("out of memory");
        return false;
    }
    struct parse parse = {
        .options = options, .arena = arena, .complaint = complaint, .words = words, .count = count};
    if (!words_read(&parse) || !rules_check(&parse) || !paths_set(&parse))
        return false;
    bool is_asked = options->action != ACTION_SERVE || options->url_count || parse.config || parse.prefix;
    if (!is_asked && access(CONFIG_DEFAULT, F_OK) != 0)
        options->action = ACTION_INVITE;
    return true;
}
