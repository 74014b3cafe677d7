#ifndef BENCH_WATCH_H
#define BENCH_WATCH_H

#include <stdint.h>
#include <sys/types.h>

/* What a process and all its children cost, as the kernel counts it. A pid of 0 costs nothing. */

/* Run time in ns, user and system together, of all threads alive now. */
uint64_t watch_cpu_ns(pid_t pid);
/* Proportional set size in bytes. */
uint64_t watch_pss(pid_t pid);
unsigned watch_processes(pid_t pid);

/* The kernel's memory for the TCP sockets that the processes hold, in bytes. */
struct watch_sockets {
    unsigned count;
    uint64_t receive, send, spare; /* queued to be read; queued to be sent; set aside for either */
    uint64_t largest;              /* the costliest single socket */
};

/* Zeroes where the kernel does not tell. */
struct watch_sockets watch_socket_memory(pid_t pid);
/* TCP memory of the whole machine, in bytes (/proc/net/sockstat). */
uint64_t watch_tcp_memory(void);

#endif
