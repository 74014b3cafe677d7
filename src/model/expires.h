#ifndef MODEL_EXPIRES_H
#define MODEL_EXPIRES_H

#include "model/template.h"

/* expires: what Expires and Cache-Control say. */
enum expires_kind {
    EXPIRES_OFF,
    EXPIRES_ACCESS,   /* so long from now */
    EXPIRES_MODIFIED, /* so long from when it was modified */
    EXPIRES_DAILY,    /* at this time of the day */
    EXPIRES_EPOCH,
    EXPIRES_MAX
};

struct expires {
    enum expires_kind kind;
    int64_t seconds;
    bool is_of_modified;   /* written with "modified" */
    struct template value; /* of variables: read for each answer; empty: the above holds */
};

/* Reads "off", "epoch", "max", "@15h30m", "-1h" or "24h". NULL, or what is wrong. */
const char *expires_parse(struct expires *expires, struct str text);

#endif
