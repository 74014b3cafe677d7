#include "main/occupant.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH_BYTES = 320, LINE_BYTES = 512, TCP_LISTEN_STATE = 0x0a };

/* The inode of the socket that listens on the port, from one of the kernel's two tables; 0: none. */
static unsigned long inode_in(const char *table, uint16_t port) {
    FILE *file = fopen(table, "re");
    if (!file)
        return 0;
    char line[LINE_BYTES];
    unsigned long found = 0;
    while (!found && fgets(line, sizeof line, file)) {
        unsigned local_port, state;
        unsigned long inode;
        int got = sscanf(line, "%*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu",
                         &local_port, &state, &inode);
        if (got == 3 && local_port == port && state == TCP_LISTEN_STATE)
            found = inode;
    }
    fclose(file);
    return found;
}

static bool holds_inode(const char *pid, unsigned long inode) {
    char path[PATH_BYTES], target[PATH_BYTES], wanted[64];
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    int wanted_len = snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
    DIR *directory = opendir(path);
    if (!directory)
        return false;
    bool is_found = false;
    for (struct dirent *entry; !is_found && (entry = readdir(directory));) {
        ssize_t len = readlinkat(dirfd(directory), entry->d_name, target, sizeof target);
        is_found = len == wanted_len && memcmp(target, wanted, (size_t)len) == 0;
    }
    closedir(directory);
    return is_found;
}

static void name_build(struct builder *out, const char *pid) {
    char path[PATH_BYTES], name[64] = "";
    snprintf(path, sizeof path, "/proc/%s/comm", pid);
    FILE *file = fopen(path, "re");
    if (file) {
        if (!fgets(name, sizeof name, file))
            name[0] = '\0';
        fclose(file);
    }
    builder_escaped(out, str_make(name, strcspn(name, "\n")));
    builder_format(out, " (pid %s)", pid);
}

bool occupant_build(struct builder *out, uint16_t port) {
    unsigned long inode = inode_in("/proc/net/tcp", port);
    if (!inode)
        inode = inode_in("/proc/net/tcp6", port);
    DIR *processes = inode ? opendir("/proc") : NULL;
    if (!processes)
        return false;
    bool is_found = false;
    for (struct dirent *entry; !is_found && (entry = readdir(processes));) {
        if (!isdigit((unsigned char)entry->d_name[0]) || !holds_inode(entry->d_name, inode))
            continue;
        name_build(out, entry->d_name);
        is_found = true;
    }
    closedir(processes);
    return is_found;
}
