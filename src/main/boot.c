#include "main/boot.h"

#include "dialect/nginx/nginx.h"
#include "dialect/oneliner.h"
#include "main/disk.h"
#include "main/door.h"
#include "main/occupant.h"
#include "main/privileges.h"
#include "main/report.h"
#include "main/sockets.h"
#include "main/summary.h"
#include "net/resolver.h"
#include "proxy/snapshot.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    OCCUPANT_MAX_BYTES = 200,
    LOOPS_MAX = 256,
    DESCRIPTORS_A_CONNECTION = 2, /* its front and its back */
};

static struct place nowhere(struct str file) {
    return (struct place){.file = file};
}

/* Says that a file is another program's, if it is. A file that cannot be read is left to the dialect to tell.
 */
static bool is_foreign(const struct options *options, struct diagnostics *diagnostics) {
    struct str contents;
    const char *reason;
    if (!disk_read(NULL, diagnostics->arena, options->config, &contents, &reason))
        return false;
    const char *program = door_of(options->config, contents);
    if (!program)
        return false;
    struct diagnostic *said =
        diagnostics_add(diagnostics, SEVERITY_ERROR, nowhere(options->config),
                        "this is a configuration of %s, a language that hawser does not read yet", program);
    diagnostic_hint(diagnostics, said,
                    "it reads nginx's (-c nginx.conf), or URLs: hawser http://127.0.0.1:3001 ...");
    return true;
}

/* Of a name: all its addresses, without their ports. */
static bool name_lookup(void *context, struct arena *arena, struct str name, struct str **hosts, size_t *count,
                        const char **reason) {
    struct address addresses[RESOLVER_MAX];
    (void)context;
    int found = resolver_lookup(name, 0, addresses, reason);
    *hosts = arena_zero(arena, RESOLVER_MAX, sizeof **hosts);
    *count = 0;
    for (int i = 0; *hosts && i < found; i++) {
        char memory[INET6_ADDRSTRLEN];
        struct builder out = builder_make(memory, sizeof memory);
        address_build_host(&out, &addresses[i]);
        (*hosts)[*count] = arena_copy(arena, builder_view(&out));
        *count += (*hosts)[*count].ptr != NULL;
    }
    if (found && *count == 0)
        *reason = "out of memory";
    return *count > 0;
}

struct model *boot_read(const struct options *options, struct diagnostics *diagnostics) {
    char hostname[HOST_NAME_MAX + 1] = "";
    struct model *model;
    gethostname(hostname, sizeof hostname - 1);
    if (options->url_count) {
        const struct oneliner asked = {options->urls, options->url_count, options->listen, options->status};
        model = oneliner_read(&asked, diagnostics);
    } else {
        if (is_foreign(options, diagnostics))
            return NULL;
        struct nginx_source source = {.path = options->config,
                                      .prefix = options->prefix,
                                      .globals = options->globals,
                                      .read = disk_read,
                                      .glob = disk_glob,
                                      .lookup = name_lookup,
                                      .hostname = str_of(hostname)};
        model = nginx_read(&source, diagnostics);
    }
    if (!model)
        return NULL;
    model_lint(model, diagnostics);
    privileges_check(model, diagnostics);
    if (!diagnostics->errors && !model->listens.count) {
        struct diagnostic *said = diagnostics_add(diagnostics, SEVERITY_ERROR, nowhere(options->config),
                                                  "nothing listens: there is no server block");
        diagnostic_hint(
            diagnostics, said,
            "the least that serves: server { listen 80; location / { proxy_pass http://127.0.0.1:3000; } }");
    }
    return model;
}

static bool is_listens_port(struct str listen, uint16_t port) {
    uint64_t own;
    size_t begin = listen.len;
    while (begin && listen.ptr[begin - 1] != ':')
        begin--;
    return str_to_u64(str_from(listen, begin), &own) && own == port;
}

void boot_settle_status(struct options *options) {
    char memory[OCCUPANT_MAX_BYTES];
    struct builder who = builder_make(memory, sizeof memory);
    if (options->is_status_asked || !options->status.len)
        return;
    if (is_listens_port(options->listen, OPTIONS_STATUS_PORT))
        builder_str(&who, STR("the application"));
    else if (sockets_have_free(STR(OPTIONS_STATUS_HOST), OPTIONS_STATUS_PORT))
        return;
    else if (!occupant_build(&who, OPTIONS_STATUS_PORT) || who.overflow)
        who = builder_make(memory, 0);
    options->status = STR("");
    fprintf(stderr, "hawser: no status page: port %d is in use%s%.*s; -a :PORT puts it elsewhere\n",
            OPTIONS_STATUS_PORT, who.len ? " by " : "", STR_ARG(builder_view(&who)));
}

unsigned boot_loops(const struct model *model) {
    unsigned loops = model->loops;
    cpu_set_t cores;
    if (!loops && sched_getaffinity(0, sizeof cores, &cores) == 0)
        loops = (unsigned)CPU_COUNT(&cores);
    return loops < 1 ? 1 : loops > LOOPS_MAX ? LOOPS_MAX : loops;
}

int boot_descriptors(const struct model *model, struct diagnostics *diagnostics) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 0;
    rlim_t wanted = model->descriptors ? model->descriptors : limit.rlim_max;
    struct rlimit raised = {wanted, wanted > limit.rlim_max ? wanted : limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) < 0 && wanted > limit.rlim_max) {
        raised = (struct rlimit){limit.rlim_max, limit.rlim_max};
        setrlimit(RLIMIT_NOFILE, &raised);
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    uint64_t asked = model->worker_connections * DESCRIPTORS_A_CONNECTION;
    if (limit.rlim_cur < asked) {
        struct diagnostic *said =
            diagnostics_add(diagnostics, SEVERITY_WARNING, nowhere(STR("")),
                            "%ju worker_connections ask for %ju file descriptors, and the limit is %ju",
                            model->worker_connections, asked, (uintmax_t)limit.rlim_cur);
        diagnostic_hint(diagnostics, said, "raise it: ulimit -n %ju, or LimitNOFILE=%ju in the systemd unit",
                        asked, asked);
    }
    return limit.rlim_cur > INT32_MAX ? INT32_MAX : (int)limit.rlim_cur;
}

/* ---- -t and -T ---- */

static void files_print(const struct model *model) {
    for (size_t i = 0; i < model->files.count && i < model->file_contents.count; i++) {
        struct str contents = model->file_contents.items[i];
        printf("# configuration file %.*s:\n", STR_ARG(model->files.items[i]));
        fwrite(contents.ptr, 1, contents.len, stdout);
        putchar('\n');
    }
}

/* What was read goes into a snapshot, which is what can still fail. */
static bool model_verify(const struct options *options, struct model *model, struct diagnostics *diagnostics) {
    struct registry *registry = registry_new(1);
    if (!registry) {
        model_free(model);
        return false;
    }
    boot_descriptors(model, diagnostics);
    if (!options->is_quiet && options->action == ACTION_TEST)
        summary_print(stdout, model);
    if (options->action == ACTION_DUMP)
        files_print(model);
    struct snapshot *snapshot = snapshot_new(model, registry, 1, diagnostics);
    bool is_fine = snapshot && !diagnostics->errors;
    snapshot_drop(snapshot);
    registry_free(registry);
    return is_fine;
}

int boot_test(const struct options *options) {
    struct report report;
    report_init(&report, options);
    struct diagnostics *diagnostics = &report.diagnostics;
    struct model *model = boot_read(options, diagnostics);
    bool is_fine = model && !diagnostics->errors;
    if (is_fine)
        is_fine = model_verify(options, model, diagnostics);
    else
        model_free(model);
    fflush(stdout);
    report_tell(&report, options->is_quiet ? SEVERITY_ERROR : SEVERITY_NOTE, NULL);
    struct str name = options->url_count ? STR("") : options->config;
    const char *what = options->url_count ? "command line" : "configuration file ";
    const char *self = report_name(options);
    if (is_fine && !options->is_quiet)
        fprintf(stderr, "%s: the %s%.*s syntax is ok\n", self, what, STR_ARG(name));
    if (!is_fine || !options->is_quiet)
        fprintf(stderr, "%s: %s%.*s test %s\n", self, what, STR_ARG(name),
                is_fine ? "is successful" : "failed");
    report_fini(&report);
    return is_fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
