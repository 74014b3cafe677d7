#ifndef LOOP_POLLER_H
#define LOOP_POLLER_H

/* Waiting for descriptors, edge-triggered. Implemented with epoll in poller.c, and by the simulator. */

enum {
    POLLER_READ = 1,  /* new bytes, a connection to accept, or an end to be read */
    POLLER_WRITE = 2, /* room again, or connected */
    POLLER_END = 4,   /* the other side has sent its FIN: what is unread is all there will be */
    POLLER_ERROR = 8, /* reset, or both sides closed; socket_error tells */
};

struct poller;

struct poller_event {
    void *tag;
    unsigned what;
};

/* NULL when the system gives none, *error the negative errno. From then on the process ignores SIGPIPE. */
struct poller *poller_open(int *error);
void poller_close(struct poller *poller);
/* Registers fd once for both directions until it is closed. 0 or negative errno. */
int poller_add(struct poller *poller, int fd, void *tag);
/* Waits up to timeout_ms (-1: for ever) and fills up to `max` events. The count; 0 on timeout, wake or signal.
 */
int poller_wait(struct poller *poller, struct poller_event *events, int max, int timeout_ms);
/* Ends the current or the next poller_wait; may be called from any thread. */
void poller_wake(struct poller *poller);

#endif
