#include "base/version.h"
#include "loop/random.h"
#include "proxy/guard/basic.h"
#include "proxy/guard/limit.h"
#include "proxy/proxied.h"
#include "proxy/variable/variables.h"

/* Variables of the connection, of the process, and of who may pass. */

static void port_build(const struct address *address, struct builder *out) {
    if (address_port(address))
        builder_u64(out, address_port(address));
}

static void proxied_build(const struct exchange *x, const struct variable *variable, struct builder *out) {
    if (!x->proxied)
        return;
    const struct proxy_protocol *header = &x->proxied->header;
    bool is_source =
        variable->id == VARIABLE_PROXY_PROTOCOL_ADDR || variable->id == VARIABLE_PROXY_PROTOCOL_PORT;
    const struct proxy_protocol_end *end = is_source ? &header->source : &header->destination;
    if (variable->id == VARIABLE_PROXY_PROTOCOL_TLV) {
        proxy_protocol_build_tlv(out, header->tlvs, variable->name);
    } else if (variable->id == VARIABLE_PROXY_PROTOCOL_PORT ||
               variable->id == VARIABLE_PROXY_PROTOCOL_SERVER_PORT) {
        builder_u64(out, end->port);
    } else {
        struct address address = proxied_address(x->proxied, end);
        address_build_host(out, &address);
    }
}

/* Variables of who may pass. */
static bool guard_eval(struct exchange *x, const struct variable *variable, struct builder *out) {
    switch (variable->id) {
    case VARIABLE_REALIP_REMOTE_ADDR:
        address_build_host(out, x->connected ? x->connected : &x->client);
        return true;
    case VARIABLE_REALIP_REMOTE_PORT:
        port_build(x->connected ? x->connected : &x->client, out);
        return true;
    case VARIABLE_PROXY_PROTOCOL_ADDR:
    case VARIABLE_PROXY_PROTOCOL_PORT:
    case VARIABLE_PROXY_PROTOCOL_SERVER_ADDR:
    case VARIABLE_PROXY_PROTOCOL_SERVER_PORT:
    case VARIABLE_PROXY_PROTOCOL_TLV:
        proxied_build(x, variable, out);
        return true;
    case VARIABLE_REMOTE_USER:
        basic_build_user(x, out);
        return true;
    case VARIABLE_LIMIT_REQ_STATUS:
        builder_str(out, limit_outcome_name(x->guarding ? x->guarding->request_outcome : LIMIT_NONE));
        return true;
    case VARIABLE_LIMIT_CONN_STATUS:
        builder_str(out, limit_outcome_name(x->guarding ? x->guarding->connection_outcome : LIMIT_NONE));
        return true;
    default:
        return false;
    }
}

static bool tcp_eval(struct exchange *x, const struct variable *variable, struct builder *out) {
    bool is_asked = variable->id == VARIABLE_TCPINFO_RTT || variable->id == VARIABLE_TCPINFO_RTTVAR ||
                    variable->id == VARIABLE_TCPINFO_SND_CWND || variable->id == VARIABLE_TCPINFO_RCV_SPACE;
    struct socket_tcp_info info;
    if (!is_asked)
        return guard_eval(x, variable, out);
    if (!x->front || x->listen->is_unix || socket_tcp_info(x->front->duct->ev.fd, &info) < 0)
        return true;
    builder_u64(out, variable->id == VARIABLE_TCPINFO_RTT        ? info.rtt_us
                     : variable->id == VARIABLE_TCPINFO_RTTVAR   ? info.rtt_variance_us
                     : variable->id == VARIABLE_TCPINFO_SND_CWND ? info.send_window
                                                                 : info.receive_space);
    return true;
}

/* Variables of the process, and those that nothing gives a value yet, as their connections cannot be made. */
static bool process_eval(struct exchange *x, const struct variable *variable, struct builder *out) {
    switch (variable->id) {
    case VARIABLE_PID:
        builder_u64(out, x->engine->pid);
        return true;
    case VARIABLE_HOSTNAME:
        builder_str(out, str_of(x->engine->hostname));
        return true;
    case VARIABLE_NGINX_VERSION:
        builder_str(out, STR(VERSION_NGINX));
        return true;
    case VARIABLE_REQUEST_ID:
        if (!x->request_id[0] && !x->request_id[1])
            random_fill(x->request_id, sizeof x->request_id);
        builder_format(out, "%016llx%016llx", (unsigned long long)x->request_id[0],
                       (unsigned long long)x->request_id[1]);
        return true;
    case VARIABLE_SCHEME:
        builder_str(out, x->is_secure ? STR("https") : STR("http"));
        return true;
    case VARIABLE_HTTPS:
        builder_str(out, x->is_secure ? STR("on") : STR(""));
        return true;
    case VARIABLE_HTTP2:
    case VARIABLE_HTTP3:
        return true;
    default:
        return tcp_eval(x, variable, out);
    }
}

bool variable_eval_connection(struct exchange *x, const struct variable *variable, struct builder *out) {
    switch (variable->id) {
    case VARIABLE_REMOTE_ADDR:
        address_build_host(out, &x->client);
        return true;
    case VARIABLE_REMOTE_PORT:
        port_build(&x->client, out);
        return true;
    case VARIABLE_BINARY_REMOTE_ADDR:
        if (address_is_unix(&x->client))
            address_build_host(out, &x->client);
        else
            builder_str(out, address_bytes(&x->client));
        return true;
    case VARIABLE_SERVER_PORT:
        if (!x->listen->is_unix)
            builder_u64(out, x->listen->port);
        return true;
    case VARIABLE_SERVER_ADDR: {
        struct address local;
        if (x->front && socket_local(x->front->duct->ev.fd, &local) == 0)
            address_build_host(out, &local);
        return true;
    }
    case VARIABLE_CONNECTION:
        builder_u64(out, x->connection_id);
        return true;
    case VARIABLE_CONNECTIONS_ACTIVE:
        builder_u64(out, tally_sum(x->engine->tallies, x->engine->loops).active);
        return true;
    case VARIABLE_CONNECTIONS_READING:
        builder_u64(out, tally_sum(x->engine->tallies, x->engine->loops).reading);
        return true;
    case VARIABLE_CONNECTIONS_WAITING:
        builder_u64(out, tally_sum(x->engine->tallies, x->engine->loops).waiting);
        return true;
    case VARIABLE_CONNECTIONS_WRITING:
        builder_u64(out, tally_sum(x->engine->tallies, x->engine->loops).writing);
        return true;
    case VARIABLE_CONNECTION_REQUESTS:
        builder_u64(out, x->connection_requests);
        return true;
    case VARIABLE_CONNECTION_TIME:
        builder_thousandths(out, x->engine->loop->now_ms - x->connection_ms);
        return true;
    case VARIABLE_PIPE:
        builder_str(out, x->is_pipelined ? STR("p") : STR("."));
        return true;
    default:
        return process_eval(x, variable, out);
    }
}
