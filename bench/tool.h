#ifndef BENCH_TOOL_H
#define BENCH_TOOL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the bench programs share: options, clock, loopback sockets and a life that ends by itself. */

enum tool_kind { TOOL_NUMBER, TOOL_TEXT };

/* One `--name value`; `to` points at an unsigned long or at a const char *, filled by tool_options. */
struct tool_option {
    const char *name;
    enum tool_kind kind;
    void *to;
    unsigned long min, max;
    const char *help;
};

/* The program's name for messages, as in "load: ...". */
void tool_begin(const char *name);
/* Prints "name: message" to stderr and exits with 2. */
_Noreturn void tool_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Reads `--name value` and `--name=value` from argv[0..argc); --help prints usage and the rows, and exits with
 * 0. */
void tool_options(int argc, char **argv, const struct tool_option *rows, size_t count, const char *usage);

uint64_t tool_now_ns(void);
void tool_sleep_ms(unsigned ms);
/* Zeroed memory for the program's whole life; never NULL. */
void *tool_alloc(size_t count, size_t size);
/* Raises the descriptor limit to what the system allows and returns it. */
unsigned long tool_fd_limit(void);
/* Ends the program with 3 after `seconds`, and at once when the program that started it is gone. */
void tool_life(unsigned long seconds);

/* "127.0.0.1:8080"; anything but a loopback address and a port is an error, which ends the program. */
struct sockaddr_in tool_address(const char *text);
/* A non-blocking listening socket; port 0 becomes the port that the kernel chose. */
int tool_listen(struct sockaddr_in *at);
/* What is done with what comes; `owner` is an event's data.ptr. */
struct tool_server {
    void (*welcome)(int listener); /* takes all connections that wait */
    void (*handle)(void *owner, uint32_t events);
    void (*bury)(void); /* after each round */
};
/* Watches the listener on the epoll, prints its port, and serves as long as the program lives. */
_Noreturn void tool_serve(int epoll, int listener, const struct sockaddr_in *at,
                          const struct tool_server *server);
/* A non-blocking socket on its way to `to`, from 127.0.0.(1 + source); -errno when the kernel refuses. */
int tool_connect(const struct sockaddr_in *to, unsigned source);

#endif
