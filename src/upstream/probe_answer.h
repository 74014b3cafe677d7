#ifndef UPSTREAM_PROBE_ANSWER_H
#define UPSTREAM_PROBE_ANSWER_H

#include "codec/eio.h"
#include "codec/ws.h"
#include "model/check.h"
#include "upstream/probe_verdict.h"

/* What a check says, and whether an answer is good; for probe.c alone. No I/O. */

enum { PROBE_REQUEST_MAX = 16384, PROBE_ANSWER_MAX = 262144 };

/* The bytes to send first; the key is used by WEBSOCKET. False when they do not fit. */
bool probe_request_build(struct builder *out, const struct check *check, struct str key);
/* Judges what has come so far. NONE: more is wanted. `body` has room for the answer's and is written to. */
enum probe_verdict probe_answer_judge(const struct check *check, struct str answer, bool is_complete,
                                      struct str key, struct builder *body, unsigned *status);
/* The goodbye after a good answer of WEBSOCKET or SOCKETIO (`body` is the answer's). False: there is none. */
bool probe_goodbye_build(struct builder *out, const struct check *check, struct str body);

#endif
