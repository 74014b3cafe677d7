#ifndef SCENE_SCENE_H
#define SCENE_SCENE_H

#include "../sim/plain.h"
#include "../sim/stage.h"
#include "../sim/subject.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* One engine in a fair world, with clients and backends that do what the scene says, step by step. Whatever is
 * expected may take ten simulated seconds. */

/* Timeouts of the scenes' configuration; all differ, so that it shows which one came. */
enum {
    SCENE_CONNECT_S = 11,
    SCENE_READ_S = 13,
    SCENE_SEND_S = 7,
    SCENE_HEAD_S = 4,
    SCENE_BODY_S = 5,
    SCENE_CLIENT_SEND_S = 6,
    SCENE_KEEPALIVE_S = 9,
    SCENE_HANDSHAKE_S = 3,
    SCENE_BACK_IDLE_S = 20
};

/* A connection of a client, or one that the engine has made to a node. */
struct scene_peer {
    struct wire wire;
    bool has_news;
};

/* Begins with so many nodes, sticky by sid. */
void scene_begin(unsigned nodes);
/* The same with more directives at the server and the upstream level. */
void scene_begin_with(unsigned nodes, const char *server_text, const char *upstream_text);
/* The same with more directives at the http and the server level. */
void scene_begin_within(unsigned nodes, const char *http_text, const char *server_text);
/* A stream to them by turns, with more directives in its server. */
void scene_begin_stream(unsigned nodes, const char *server_text);
/* The same with more directives at the stream level too. */
void scene_begin_stream_within(unsigned nodes, const char *stream_text, const char *server_text);
/* Everybody goes, and so must everything of theirs; no invariant may have been broken. */
void scene_end(void);

struct scene_peer *scene_client(void);
/* One that has sent this. */
struct scene_peer *scene_ask(const char *request);
/* The next connection that the engine makes to node 1, 2, ... */
struct scene_peer *scene_backend(unsigned node);
/* The same, and on it a request that scene_expect_request takes. */
struct scene_peer *scene_asked(unsigned node, const char *method, const char *target);
/* No connection comes to this node within a second. */
void scene_expect_no_backend(unsigned node);
void scene_node(unsigned node, enum service_mode mode);

void scene_send(struct scene_peer *peer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void scene_send_bytes(struct scene_peer *peer, const char *bytes, size_t len);
void scene_finish(struct scene_peer *peer);
void scene_close(struct scene_peer *peer);
void scene_reset(struct scene_peer *peer);

/* Exactly these bytes come next. */
void scene_expect(struct scene_peer *peer, const char *text);
/* So many bytes come, whatever they are; they are eaten. */
void scene_expect_bytes(struct scene_peer *peer, size_t count);
/* Nothing comes, and nothing is there, for so long. */
void scene_expect_nothing(struct scene_peer *peer, uint64_t ms);
/* The other side has sent FIN or RST, and no byte before it. */
void scene_expect_end(struct scene_peer *peer);
/* The same, not before `from_s` and not after `to_s` seconds from now. */
void scene_expect_end_between(struct scene_peer *peer, double from_s, double to_s);
/* A whole request head of this method and target comes next; it is kept for scene_field. */
void scene_expect_request(struct scene_peer *peer, const char *method, const char *target);
/* A whole answer head with this status. */
void scene_expect_answer(struct scene_peer *peer, unsigned status);
/* The same, and this behind it. */
void scene_expect_answer_with(struct scene_peer *peer, unsigned status, const char *text);
void scene_expect_answer_between(struct scene_peer *peer, unsigned status, double from_s, double to_s);
/* An answer head and its body by Content-Length, whatever it is. */
void scene_expect_whole_answer(struct scene_peer *peer, unsigned status);
/* Of the head read last; "" when it has no such field. */
const char *scene_field(const char *name);

void scene_wait_ms(uint64_t ms);
/* The only exchange is in this state now or comes to it; "" : there is none. */
void scene_expect_state(const char *name);
void scene_expect_counts(size_t fronts, size_t tunnels, size_t idle_backs);

/* Requests and answers that scenes share. */
#define SCENE_GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define SCENE_OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define SCENE_HANDSHAKE                                                              \
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
#define SCENE_SWITCH                                                                    \
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
/* The backend answers so, and the client gets it. */
void scene_answer_ok(struct scene_peer *backend, struct scene_peer *client);
/* A client and its backend with a tunnel between them. */
void scene_tunnel(struct scene_peer **client, struct scene_peer **backend);
/* Begins with one node: it has read a client's GET, or there is such a tunnel. */
void scene_begin_get(struct scene_peer **client, struct scene_peer **backend);
void scene_begin_tunnel(struct scene_peer **client, struct scene_peer **backend);

/* Each file of scenes. */
int scenes_of_states(void);
int scenes_of_timeouts(void);
int scenes_of_endings(void);
int scenes_of_tunnels(void);
int scenes_of_framing(void);
int scenes_of_sessions(void);
int scenes_of_shortage(void);
int scenes_of_guard(void);
int scenes_of_upstreams(void);
int scenes_of_streams(void);
int scenes_of_logs(void);

#endif
