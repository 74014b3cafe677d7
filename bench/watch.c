#include "watch.h"

#include "tool.h"

#include <dirent.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TREE_MAX = 1024 };

struct tree {
    pid_t pid[TREE_MAX];
    unsigned count;
};

struct inodes {
    unsigned long *ptr;
    size_t len, cap;
};

/* The numbers under a /proc directory, one by one; 0 at the end. */
static pid_t next_number(DIR *folder) {
    struct dirent *entry;
    while ((entry = readdir(folder)))
        if (*entry->d_name >= '0' && *entry->d_name <= '9')
            return (pid_t)strtol(entry->d_name, NULL, 10);
    return 0;
}

static void add_children(struct tree *tree, pid_t pid, pid_t thread) {
    char path[64];
    long child;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)thread);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    while (tree->count < TREE_MAX && fscanf(file, "%ld", &child) == 1)
        tree->pid[tree->count++] = (pid_t)child;
    fclose(file);
}

/* Calls each(pid, thread) for every thread of the tree, and gathers the processes. */
static void walk(struct tree *tree, pid_t root, void (*each)(pid_t, pid_t, void *), void *with) {
    tree->count = 0;
    if (root)
        tree->pid[tree->count++] = root;
    for (unsigned i = 0; i < tree->count; i++) {
        char path[32];
        snprintf(path, sizeof path, "/proc/%d/task", (int)tree->pid[i]);
        DIR *folder = opendir(path);
        if (!folder)
            continue;
        for (pid_t thread; (thread = next_number(folder));) {
            add_children(tree, tree->pid[i], thread);
            if (each)
                each(tree->pid[i], thread, with);
        }
        closedir(folder);
    }
}

static void add_cpu(pid_t pid, pid_t thread, void *with) {
    char path[64];
    unsigned long long ns = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", (int)pid, (int)thread);
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    if (fscanf(file, "%llu", &ns) == 1)
        *(uint64_t *)with += ns;
    fclose(file);
}

uint64_t watch_cpu_ns(pid_t pid) {
    struct tree tree;
    uint64_t ns = 0;
    walk(&tree, pid, add_cpu, &ns);
    return ns;
}

unsigned watch_processes(pid_t pid) {
    struct tree tree;
    walk(&tree, pid, NULL, NULL);
    return tree.count;
}

uint64_t watch_pss(pid_t pid) {
    struct tree tree;
    uint64_t total = 0;
    walk(&tree, pid, NULL, NULL);
    for (unsigned i = 0; i < tree.count; i++) {
        char path[48], line[128];
        unsigned long long kib;
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)tree.pid[i]);
        FILE *file = fopen(path, "re");
        if (!file)
            continue;
        while (fgets(line, sizeof line, file))
            if (sscanf(line, "Pss: %llu kB", &kib) == 1)
                total += kib * 1024;
        fclose(file);
    }
    return total;
}

static void add_inode(struct inodes *set, const char *path) {
    char target[64];
    ssize_t len = readlink(path, target, sizeof target - 1);
    unsigned long inode;
    if (len <= 0)
        return;
    target[len] = 0;
    if (sscanf(target, "socket:[%lu]", &inode) != 1)
        return;
    if (set->len == set->cap) {
        set->cap = set->cap * 2 + 1024;
        set->ptr = realloc(set->ptr, set->cap * sizeof *set->ptr);
        if (!set->ptr)
            tool_fail("no memory for %zu inodes", set->cap);
    }
    set->ptr[set->len++] = inode;
}

static int compare(const void *a, const void *b) {
    unsigned long x = *(const unsigned long *)a, y = *(const unsigned long *)b;
    return x < y ? -1 : x > y;
}

static struct inodes sockets_of(pid_t root) {
    struct tree tree;
    struct inodes set = {0};
    walk(&tree, root, NULL, NULL);
    for (unsigned i = 0; i < tree.count; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/fd", (int)tree.pid[i]);
        DIR *folder = opendir(path);
        struct dirent *entry;
        while (folder && (entry = readdir(folder))) {
            snprintf(path, sizeof path, "/proc/%d/fd/%.20s", (int)tree.pid[i], entry->d_name);
            add_inode(&set, path);
        }
        if (folder)
            closedir(folder);
    }
    if (set.len)
        qsort(set.ptr, set.len, sizeof *set.ptr, compare);
    return set;
}

static void add_socket(struct watch_sockets *sum, const struct nlmsghdr *message, const struct inodes *set) {
    const struct inet_diag_msg *diag = NLMSG_DATA(message);
    unsigned long inode = diag->idiag_inode;
    if (!set->len || !bsearch(&inode, set->ptr, set->len, sizeof inode, compare))
        return;
    unsigned left = (unsigned)(message->nlmsg_len - NLMSG_LENGTH(sizeof *diag));
    const struct rtattr *attribute = (const void *)(diag + 1);
    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
        uint32_t memory[SK_MEMINFO_VARS] = {0};
        if (attribute->rta_type != INET_DIAG_SKMEMINFO)
            continue;
        size_t len = RTA_PAYLOAD(attribute);
        memcpy(memory, RTA_DATA(attribute), len < sizeof memory ? len : sizeof memory);
        uint64_t all = (uint64_t)memory[SK_MEMINFO_RMEM_ALLOC] + memory[SK_MEMINFO_WMEM_QUEUED] +
                       memory[SK_MEMINFO_FWD_ALLOC];
        sum->count++;
        sum->receive += memory[SK_MEMINFO_RMEM_ALLOC];
        sum->send += memory[SK_MEMINFO_WMEM_QUEUED];
        sum->spare += memory[SK_MEMINFO_FWD_ALLOC];
        if (all > sum->largest)
            sum->largest = all;
    }
}

static int ask_kernel(void) {
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 body;
    } ask = {.head = {sizeof ask, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 1, 0},
             .body = {.sdiag_family = AF_INET,
                      .sdiag_protocol = IPPROTO_TCP,
                      .idiag_ext = 1 << (INET_DIAG_SKMEMINFO - 1),
                      .idiag_states = ~0u}};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd >= 0 && send(fd, &ask, sizeof ask, 0) != (ssize_t)sizeof ask) {
        close(fd);
        return -1;
    }
    return fd;
}

struct watch_sockets watch_socket_memory(pid_t pid) {
    struct watch_sockets sum = {0};
    _Alignas(struct nlmsghdr) static char data[65536];
    struct inodes set = sockets_of(pid);
    int fd = pid ? ask_kernel() : -1;
    bool done = fd < 0;
    while (!done) {
        ssize_t len = recv(fd, data, sizeof data, 0);
        if (len <= 0)
            break;
        struct nlmsghdr *message = (void *)data;
        for (size_t left = (size_t)len; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
            done = done || message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR;
            if (message->nlmsg_type == SOCK_DIAG_BY_FAMILY)
                add_socket(&sum, message, &set);
        }
    }
    if (fd >= 0)
        close(fd);
    free(set.ptr);
    return sum;
}

uint64_t watch_tcp_memory(void) {
    char line[160];
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/net/sockstat", "re");
    while (file && fgets(line, sizeof line, file)) {
        const char *at = strncmp(line, "TCP:", 4) ? NULL : strstr(line, " mem ");
        if (at)
            pages = strtoull(at + 5, NULL, 10);
    }
    if (file)
        fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
