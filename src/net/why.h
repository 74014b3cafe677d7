#ifndef NET_WHY_H
#define NET_WHY_H

/* Why something ended. Every ending names one; why.def is the table. */
enum why {
    WHY_NONE, /* has not ended */
#define WHY(name, owner, http, close, text) WHY_##name,
#include "net/why.def"
#undef WHY
    WHY_COUNT
};

enum why_owner { WHY_OWNER_NONE, WHY_OWNER_CLIENT, WHY_OWNER_BACKEND, WHY_OWNER_SELF };

struct why_info {
    const char *name; /* lower case, for counters and logs */
    const char *text; /* for people; nginx's words where monitoring greps for them */
    enum why_owner owner;
    unsigned http;  /* status of the answer made for it; 0: none */
    unsigned close; /* WebSocket close code; 0: none */
};

const struct why_info *why_info(enum why why);
/* The reason that a negative errno of a connection to a backend stands for; our own shortages stay ours. */
enum why why_of_connect_error(int error);

#endif
