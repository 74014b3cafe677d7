#ifndef PROXY_FLOW_PASSAGE_H
#define PROXY_FLOW_PASSAGE_H

#include "proxy/exchange.h"

/* Moving a message body from one duct to another, re-framed, with nothing kept but what the other side does not
 * take. */

enum passage_verdict {
    PASSAGE_DONE,  /* all of it is in the outbox */
    PASSAGE_WAIT,  /* the source has no more now, or the sink takes no more */
    PASSAGE_YIELD, /* had its share of this turn */
    PASSAGE_BAD,   /* framing broken */
    PASSAGE_LARGE, /* above max_bytes */
    PASSAGE_ENDED, /* the source ended before the body did */
    PASSAGE_BROKEN_SOURCE,
    PASSAGE_BROKEN_SINK,
    PASSAGE_NO_MEMORY,
    PASSAGE_NO_DISK, /* what was to be kept could not be written; x->error tells why */
    PASSAGE_VERDICTS
};

/* Sends what `g` holds already, and the body behind it, reading from `in` and then from `from` into scratch. */
enum passage_verdict passage_move(struct exchange *x, struct passage *passage, struct inbox *in,
                                  struct duct *from, char *scratch, struct gather *g);

/* Notes a piece of payload: counts it, and keeps of it what affinity watches. */
void passage_count(struct passage *passage, struct str slice);

/* The body has ended: what its framing, and add_trailer, put there. */
void passage_end(struct exchange *x, struct passage *passage, struct gather *g);

/* What a verdict means for the exchange: WHY_NONE while the body goes on, else the entry of `whys` for this
 * direction. Goes on in the next turn after YIELD; notes that the client has gone. */
enum why passage_why(struct exchange *x, enum passage_verdict verdict, const enum why whys[PASSAGE_VERDICTS]);

#endif
