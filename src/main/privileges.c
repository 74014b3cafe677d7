#include "main/privileges.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 64, TEXT_MAX = 4096 };

static bool text_copy(char *to, size_t room, struct str text) {
    struct builder out = builder_make(to, room - 1);
    builder_str(&out, text);
    to[out.len] = '\0';
    return !out.overflow;
}

struct identity {
    char name[NAME_MAX_BYTES];
    uid_t user;
    gid_t group;
};

/* The group is the one named like the user when none is said, as in nginx. False: *what is not known. */
static bool identity_find(const struct process_settings *settings, struct identity *identity,
                          const char **what) {
    char group_name[NAME_MAX_BYTES];
    struct str group = settings->group.len ? settings->group : settings->user;
    *what = "getpwnam";
    if (!text_copy(identity->name, sizeof identity->name, settings->user))
        return false;
    const struct passwd *user = getpwnam(identity->name);
    if (!user)
        return false;
    identity->user = user->pw_uid;
    *what = "getgrnam";
    const struct group *found = text_copy(group_name, sizeof group_name, group) ? getgrnam(group_name) : NULL;
    if (found)
        identity->group = found->gr_gid;
    return found != NULL;
}

/* True when there is a user to become. */
static bool user_check(const struct model *model, struct identity *identity, struct diagnostics *diagnostics) {
    const struct process_settings *settings = &model->process;
    const char *what;
    if (settings->user.len == 0)
        return false;
    if (geteuid() != 0) {
        diagnostics_add(
            diagnostics, SEVERITY_WARNING, settings->user_place,
            "the \"user\" directive makes sense only if hawser is started with super-user privileges, "
            "ignored");
        return false;
    }
    if (identity_find(settings, identity, &what))
        return true;
    bool is_group = strcmp(what, "getgrnam") == 0 && settings->group.len;
    diagnostics_add(diagnostics, SEVERITY_ERROR, settings->user_place, "%s(\"%.*s\") failed", what,
                    STR_ARG(is_group ? settings->group : settings->user));
    return false;
}

static bool fail(struct diagnostics *diagnostics, const char *what, struct str of) {
    int error = errno;
    diagnostics_add(diagnostics, SEVERITY_ERROR, (struct place){.line = 0}, "%s%s%.*s%s failed (%d: %s)", what,
                    of.len ? " \"" : "", STR_ARG(of), of.len ? "\"" : "", error, strerrordesc_np(error));
    return false;
}

/* As nginx's: with mode 0700, and of a directory that is there its owner alone is changed. */
static bool directory_make(struct str name, const struct identity *owner, struct diagnostics *diagnostics) {
    char path[PATH_MAX];
    struct stat info;
    errno = ENAMETOOLONG;
    if (!text_copy(path, sizeof path, name) || (mkdir(path, S_IRWXU) < 0 && errno != EEXIST))
        return fail(diagnostics, "mkdir()", name);
    if (stat(path, &info) < 0)
        return fail(diagnostics, "stat()", name);
    errno = ENOTDIR;
    if (!S_ISDIR(info.st_mode))
        return fail(diagnostics, "mkdir()", name);
    if (owner && info.st_uid != owner->user && chown(path, owner->user, (gid_t)-1) < 0)
        return fail(diagnostics, "chown()", name);
    return true;
}

/* Can it be asked for what IP_TRANSPARENT takes? */
static void transparent_check(const struct process_settings *settings, struct diagnostics *diagnostics) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct powers[2] = {{0}};
    uint32_t either = 1u << CAP_NET_RAW | 1u << CAP_NET_ADMIN;
    if (!settings->is_transparent || syscall(SYS_capget, &header, powers) < 0 || powers[0].effective & either)
        return;
    struct diagnostic *said = diagnostics_add(diagnostics, SEVERITY_WARNING, settings->transparent_place,
                                              "\"transparent\" takes the capability CAP_NET_RAW, which hawser "
                                              "does not have here: such connections will fail");
    diagnostic_hint(
        diagnostics, said,
        "start hawser as root, who keeps it for \"user\", or with AmbientCapabilities=CAP_NET_RAW in "
        "its systemd unit");
}

void privileges_check(const struct model *model, struct diagnostics *diagnostics) {
    struct identity identity;
    bool has_user = user_check(model, &identity, diagnostics);
    transparent_check(&model->process, diagnostics);
    for (size_t i = 0; i < model->temp_directories.count && diagnostics->errors == 0; i++)
        directory_make(model->temp_directories.items[i], has_user ? &identity : NULL, diagnostics);
}

/* Of root's powers the one to listen below 1024 is kept, or a reload could not; and with it what transparent
 * connections take. */
static void powers_keep(const struct process_settings *settings) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct powers[2] = {{0}};
    uint32_t kept = 1u << CAP_NET_BIND_SERVICE | (settings->is_transparent ? 1u << CAP_NET_RAW : 0);
    powers[0].effective = powers[0].permitted = kept;
    syscall(SYS_capset, &header, powers);
}

static bool user_become(const struct model *model, struct diagnostics *diagnostics) {
    const struct process_settings *settings = &model->process;
    struct identity identity;
    char pid_path[PATH_MAX];
    const char *what;
    if (settings->user.len == 0 || geteuid() != 0)
        return true;
    if (!identity_find(settings, &identity, &what))
        return fail(diagnostics, what, settings->user);
    /* Its directory will not let it be removed at the end, but it can be emptied then. */
    if (model->pid_path.len && text_copy(pid_path, sizeof pid_path, model->pid_path) &&
        chown(pid_path, identity.user, identity.group) < 0)
        return fail(diagnostics, "chown()", model->pid_path);
    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
    if (setgid(identity.group) < 0)
        return fail(diagnostics, "setgid()", settings->group);
    if (initgroups(identity.name, identity.group) < 0)
        return fail(diagnostics, "initgroups()", settings->user);
    if (setuid(identity.user) < 0)
        return fail(diagnostics, "setuid()", settings->user);
    powers_keep(settings);
    return true;
}

static bool environment_set(struct str entry) {
    char text[TEXT_MAX];
    size_t at = str_find_char(entry, '=');
    if (at == STR_NONE)
        return true; /* kept: the whole environment is */
    if (!text_copy(text, sizeof text, entry))
        return false;
    text[at] = '\0';
    return setenv(text, text + at + 1, 1) == 0;
}

bool privileges_apply(const struct model *model, struct diagnostics *diagnostics) {
    const struct process_settings *settings = &model->process;
    char directory[PATH_MAX];
    struct rlimit core = {settings->core_bytes, settings->core_bytes};
    for (size_t i = 0; i < settings->environment.count; i++)
        if (!environment_set(settings->environment.items[i]))
            return fail(diagnostics, "setenv()", settings->environment.items[i]);
    if (settings->priority && setpriority(PRIO_PROCESS, 0, settings->priority) < 0)
        return fail(diagnostics, "setpriority()", STR(""));
    if (settings->has_core_bytes && setrlimit(RLIMIT_CORE, &core) < 0)
        return fail(diagnostics, "setrlimit(RLIMIT_CORE)", STR(""));
    if (!user_become(model, diagnostics))
        return false;
    if (settings->directory.len == 0)
        return true;
    errno = ENAMETOOLONG;
    if (!text_copy(directory, sizeof directory, settings->directory) || chdir(directory) < 0)
        return fail(diagnostics, "chdir()", settings->directory);
    return true;
}

/* ---- processors ---- */

/* "0101": the last digit is processor 0. */
static void mask_read(struct str mask, cpu_set_t *set) {
    CPU_ZERO(set);
    for (size_t i = 0; i < mask.len && i < CPU_SETSIZE; i++)
        if (mask.ptr[mask.len - 1 - i] == '1')
            CPU_SET(i, set);
}

/* Of the processors that there are and `wanted` names (empty: all), the one whose turn it is. */
static bool turn_find(struct str wanted, unsigned index, cpu_set_t *set) {
    cpu_set_t all, named;
    if (sched_getaffinity(0, sizeof all, &all) < 0)
        return false;
    if (wanted.len) {
        mask_read(wanted, &named);
        CPU_AND(&all, &all, &named);
    }
    unsigned count = (unsigned)CPU_COUNT(&all);
    CPU_ZERO(set);
    for (unsigned i = 0, turn = 0; count && i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &all) && turn++ == index % count)
            CPU_SET(i, set);
    return count > 0;
}

void privileges_bind(const struct model *model, const struct log *log, unsigned index, pthread_t thread) {
    const struct process_settings *settings = &model->process;
    size_t masks = settings->masks.count;
    cpu_set_t set;
    if (!settings->is_affinity_auto && masks == 0)
        return;
    struct str mask = masks == 0 ? STR("") : settings->masks.items[index < masks ? index : masks - 1];
    bool is_fine = true;
    if (settings->is_affinity_auto)
        is_fine = turn_find(mask, index, &set);
    else
        mask_read(mask, &set);
    int error = is_fine ? pthread_setaffinity_np(thread, sizeof set, &set) : EINVAL;
    if (error)
        log_line(log, LOG_WARN, "pthread_setaffinity_np() failed (%d: %s)", error, strerrordesc_np(error));
}
