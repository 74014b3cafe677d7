#include "proxy/stream_log.h"

enum { ENDS_MAX = 256 };

void stream_log_accepted(const struct exchange *x) {
    char memory[ENDS_MAX];
    struct builder client = builder_make(memory, sizeof memory);
    if (!exchange_log_wants(x, LOG_INFO))
        return;
    address_build(&client, &x->front->remote);
    exchange_log_alone(x, LOG_INFO, "client %.*s connected to %s", STR_ARG(builder_view(&client)),
                       x->front->listener->text);
}

void stream_log_connected(const struct exchange *x) {
    char memory[ENDS_MAX];
    struct builder ours = builder_make(memory, sizeof memory);
    struct address local;
    if (!exchange_log_wants(x, LOG_INFO) || socket_local(x->back.duct->ev.fd, &local) < 0)
        return;
    address_build(&ours, &local);
    exchange_log_alone(x, LOG_INFO, "proxy %.*s connected to %s", STR_ARG(builder_view(&ours)),
                       x->member->peer->name);
}

void stream_log_ended(const struct exchange *x, enum why why, bool is_by_back) {
    static const char timed_out[] = "connection timed out (110: Connection timed out)";
    static const char reset[] = "recv() failed (104: Connection reset by peer)";
    if (why == WHY_TUNNEL_IDLE || why == WHY_HALF_CLOSE_TIMEOUT) {
        exchange_log(x, LOG_INFO, "%s while proxying connection", timed_out);
        return;
    }
    if (why == WHY_CLIENT_RESET)
        exchange_log(x, LOG_INFO, "%s while proxying and reading from client", reset);
    else if (why == WHY_BACKEND_RESET)
        exchange_log(x, LOG_ERROR, "%s while proxying and reading from upstream", reset);
    else if (why != WHY_DONE)
        return;
    exchange_log_alone(
        x, LOG_INFO, "%s disconnected, bytes from/to client:%llu/%llu, bytes from/to upstream:%llu/%llu",
        is_by_back ? "upstream" : "client", (unsigned long long)x->up.bytes, (unsigned long long)x->sent_bytes,
        (unsigned long long)x->attempt->received, (unsigned long long)x->attempt->sent);
}
