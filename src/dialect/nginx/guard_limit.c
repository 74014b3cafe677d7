#include "dialect/nginx/compile.h"
#include "dialect/nginx/guard.h"
#include "dialect/nginx/set.h"
#include "dialect/nginx/unit.h"

/* How often and how many: limit_req_zone, limit_req, limit_conn_zone, limit_conn. */

enum { ZONE_MIN_BYTES = 32768, CONNECTIONS_MAX = 65535, STATUS_MIN = 400, STATUS_MAX = 599 };

static const char *kind_word(enum limit_kind kind) {
    return kind == LIMIT_REQUESTS ? "limit_req_zone" : "limit_conn_zone";
}

static struct limit_zone *zone_find(const struct reader *reader, struct str name) {
    for (size_t i = 0; i < reader->model->limit_zones.count; i++)
        if (str_eq(reader->model->limit_zones.items[i]->name, name))
            return reader->model->limit_zones.items[i];
    return NULL;
}

static bool parameter_take(struct str text, const char *name, struct str *value) {
    if (!str_starts(text, str_of(name)))
        return false;
    *value = str_from(text, strlen(name));
    return true;
}

static void fail_parameter(struct scope *scope, const struct word *at) {
    reader_fail(scope->reader, at, "invalid parameter \"%.*s\"", STR_ARG(at->text));
}

/* zone=NAME:SIZE */
static bool zone_read(struct scope *scope, const struct word *at, struct str value, struct limit_zone *zone) {
    struct reader *reader = scope->reader;
    size_t colon = str_find_char(value, ':');
    if (colon == STR_NONE || colon == 0) {
        struct diagnostic *said = reader_fail(reader, at, "invalid zone size \"%.*s\"", STR_ARG(at->text));
        diagnostic_hint(reader->diagnostics, said, "write zone=NAME:SIZE, as zone=one:10m");
        return false;
    }
    zone->name = str_head(value, colon);
    if (!unit_size(str_from(value, colon + 1), true, &zone->bytes)) {
        reader_fail(reader, at, "invalid zone size \"%.*s\"", STR_ARG(at->text));
        return false;
    }
    if (zone->bytes >= ZONE_MIN_BYTES)
        return true;
    struct diagnostic *said = reader_fail(reader, at, "zone \"%.*s\" is too small", STR_ARG(at->text));
    diagnostic_hint(reader->diagnostics, said, "it must have 32k at least");
    return false;
}

/* rate=NUMBERr/s or NUMBERr/m */
static bool rate_read(struct scope *scope, const struct word *at, struct str value, struct limit_zone *zone) {
    bool is_second = str_ends(value, STR("r/s"));
    uint64_t number;
    if ((is_second || str_ends(value, STR("r/m"))) && str_to_u64(str_head(value, value.len - 3), &number) &&
        number > 0 && number < UINT32_MAX) {
        zone->rate = number * 1000 / (is_second ? 1 : 60);
        return true;
    }
    struct diagnostic *said = reader_fail(scope->reader, at, "invalid rate \"%.*s\"", STR_ARG(at->text));
    diagnostic_hint(scope->reader->diagnostics, said, "it must be as rate=10r/s or rate=30r/m");
    return false;
}

static bool zone_parameters_read(struct scope *scope, const struct node *node, struct limit_zone *zone) {
    for (size_t i = 2; i < node->count; i++) {
        const struct word *at = &node->words[i];
        struct str value;
        bool is_right = true;
        if (parameter_take(at->text, "zone=", &value)) {
            is_right = zone_read(scope, at, value, zone);
        } else if (zone->kind == LIMIT_REQUESTS && parameter_take(at->text, "rate=", &value)) {
            is_right = rate_read(scope, at, value, zone);
        } else if (zone->kind == LIMIT_REQUESTS && str_eq(at->text, STR("sync"))) {
            reader_refuse(
                scope->reader, at, "limit_req_zone",
                "each hawser counts for itself, as nginx without a subscription does: remove the word");
            return false;
        } else {
            fail_parameter(scope, at);
            return false;
        }
        if (!is_right)
            return false;
    }
    if (zone->name.len)
        return true;
    reader_fail(scope->reader, &node->words[0], "\"%s\" must have \"zone\" parameter", kind_word(zone->kind));
    return false;
}

static void zone_add(struct scope *scope, const struct node *node, const struct directive *row) {
    struct reader *reader = scope->reader;
    struct limit_zone read = {.place = word_place(&node->words[0]),
                              .kind =
                                  strcmp(row->name, "limit_req_zone") == 0 ? LIMIT_REQUESTS : LIMIT_CONNECTIONS,
                              .is_stream = scope->context & CONTEXT_STREAM,
                              .key_text = node->words[1].text,
                              .rate = 1000};
    if (!compile_template(scope, &node->words[1], read.key_text, &read.key) ||
        !zone_parameters_read(scope, node, &read))
        return;
    const struct limit_zone *other = zone_find(reader, read.name);
    if (other && other->kind == read.kind && other->is_stream == read.is_stream) {
        reader_fail(reader, &node->words[0], "%s \"%.*s\" is already bound to key \"%.*s\"", row->name,
                    STR_ARG(read.name), STR_ARG(other->key_text));
        return;
    }
    if (other) {
        reader_fail(reader, &node->words[0],
                    "the shared memory zone \"%.*s\" is already declared for a different use",
                    STR_ARG(read.name));
        return;
    }
    struct limit_zone *zone = reader_alloc(reader, sizeof *zone);
    struct limit_zone **slot = zone ? READER_ADD(reader, &reader->model->limit_zones) : NULL;
    if (!slot)
        return;
    read.index = (unsigned)reader->model->limit_zones.count - 1;
    *zone = read;
    *slot = zone;
}

/* The zone that a limit names; what is wrong is said. */
static struct limit_zone *zone_use(struct scope *scope, const struct word *at, struct str name,
                                   enum limit_kind kind) {
    struct reader *reader = scope->reader;
    struct limit_zone *zone = zone_find(reader, name);
    bool is_stream = scope->context & CONTEXT_STREAMS;
    if (zone && zone->kind == kind && zone->is_stream == is_stream)
        return zone;
    if (zone) {
        reader_fail(reader, at, "the shared memory zone \"%.*s\" is already declared for a different use",
                    STR_ARG(name));
        return NULL;
    }
    struct str near = STR("");
    for (size_t i = 0; i < reader->model->limit_zones.count && near.len == 0; i++)
        near = diagnostic_nearest(name, &reader->model->limit_zones.items[i]->name, 1);
    struct diagnostic *said = reader_fail(reader, at, "zero size shared memory zone \"%.*s\"", STR_ARG(name));
    if (near.len)
        diagnostic_hint(reader->diagnostics, said, "no \"%s\" makes it; did you mean \"%.*s\"?",
                        kind_word(kind), STR_ARG(near));
    else
        diagnostic_hint(reader->diagnostics, said, "no \"%s\" in %s makes it", kind_word(kind),
                        is_stream ? "stream" : "http");
    return NULL;
}

/* ---- limit_req ---- */

static bool thousandths_read(struct scope *scope, const struct word *at, struct str value, const char *what,
                             uint64_t *thousandths) {
    uint64_t number;
    if (str_to_u64(value, &number) && number > 0 && number < UINT32_MAX) {
        *thousandths = number * 1000;
        return true;
    }
    reader_fail(scope->reader, at, "invalid %s value \"%.*s\"", what, STR_ARG(at->text));
    return false;
}

static bool request_limit_read(struct scope *scope, const struct node *node, struct request_limit *limit) {
    for (size_t i = 1; i < node->count; i++) {
        const struct word *at = &node->words[i];
        struct str value;
        if (parameter_take(at->text, "zone=", &value)) {
            limit->zone = zone_use(scope, at, value, LIMIT_REQUESTS);
            if (!limit->zone)
                return false;
        } else if (parameter_take(at->text, "burst=", &value)) {
            if (!thousandths_read(scope, at, value, "burst", &limit->burst))
                return false;
        } else if (parameter_take(at->text, "delay=", &value)) {
            if (!thousandths_read(scope, at, value, "delay", &limit->delay))
                return false;
        } else if (str_eq(at->text, STR("nodelay"))) {
            limit->delay = INT64_MAX;
        } else {
            fail_parameter(scope, at);
            return false;
        }
    }
    if (!limit->zone)
        reader_fail(scope->reader, &node->words[0], "\"limit_req\" must have \"zone\" parameter");
    return limit->zone != NULL;
}

/* limit_req zone=NAME [burst=N] [nodelay | delay=N] */
static void request_limit_add(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct request_limit limit = {0};
    struct guard *guard = request_limit_read(scope, node, &limit) ? guard_own(scope) : NULL;
    if (!guard)
        return;
    GUARD_OWN_LIST(scope, guard, request_limits);
    for (size_t i = 0; i < guard->request_limits.count; i++)
        if (guard->request_limits.items[i].zone == limit.zone) {
            reader_fail(scope->reader, &node->words[0], "\"limit_req\" directive is duplicate");
            return;
        }
    struct request_limit *slot = READER_ADD(scope->reader, &guard->request_limits);
    if (slot)
        *slot = limit;
}

/* ---- limit_conn ---- */

/* limit_conn NAME NUMBER */
static void connection_limit_add(struct scope *scope, const struct node *node, const struct directive *row) {
    (void)row;
    struct reader *reader = scope->reader;
    const struct word *at = &node->words[2];
    uint64_t most;
    struct limit_zone *zone = zone_use(scope, &node->words[1], node->words[1].text, LIMIT_CONNECTIONS);
    if (!str_to_u64(at->text, &most) || most == 0) {
        reader_fail(reader, at, "invalid number of connections \"%.*s\"", STR_ARG(at->text));
        return;
    }
    if (most > CONNECTIONS_MAX) {
        reader_fail(reader, at, "connection limit must be less 65536");
        return;
    }
    struct guard *guard = zone ? guard_own(scope) : NULL;
    if (!guard)
        return;
    GUARD_OWN_LIST(scope, guard, connection_limits);
    for (size_t i = 0; i < guard->connection_limits.count; i++)
        if (guard->connection_limits.items[i].zone == zone) {
            reader_fail(reader, &node->words[0], "\"limit_conn\" directive is duplicate");
            return;
        }
    struct connection_limit *slot = READER_ADD(reader, &guard->connection_limits);
    if (slot)
        *slot = (struct connection_limit){zone, (unsigned)most};
}

/* ---- what both have ---- */

static struct limit_policy *policy_of(struct scope *scope, const struct directive *row) {
    struct guard *guard = guard_own(scope);
    bool is_requests = str_starts(str_of(row->name), STR("limit_req"));
    return !guard ? NULL : is_requests ? &guard->on_requests : &guard->on_connections;
}

static void status_set(struct scope *scope, const struct node *node, const struct directive *row) {
    const struct word *at = &node->words[1];
    uint64_t status;
    if (!set_read_number(scope, at, row->name, INT64_MAX, &status))
        return;
    if (status < STATUS_MIN || status > STATUS_MAX) {
        reader_fail(scope->reader, at, "value must be between %d and %d", STATUS_MIN, STATUS_MAX);
        return;
    }
    struct limit_policy *policy = policy_of(scope, row);
    if (policy)
        policy->status = (unsigned)status;
}

static void level_set(struct scope *scope, const struct node *node, const struct directive *row) {
    unsigned level = log_level_find(node->words[1].text);
    if (level < LOG_ERROR || level > LOG_INFO) {
        set_fail(scope, &node->words[1], row, "\"info\", \"notice\", \"warn\" or \"error\"");
        return;
    }
    struct limit_policy *policy = policy_of(scope, row);
    if (policy)
        policy->level = (enum log_level)level;
}

static void dry_set(struct scope *scope, const struct node *node, const struct directive *row) {
    bool is_on;
    if (!set_read_flag(scope, node, row, &is_on))
        return;
    struct limit_policy *policy = policy_of(scope, row);
    if (policy)
        policy->is_dry = is_on;
}

static const struct directive rows[] = {
    {"limit_req_zone", CONTEXT_HTTP, 2, 4, DIRECTIVE_FIRST, zone_add, NOTHING, NULL},
    {"limit_conn_zone", CONTEXT_HTTP | CONTEXT_STREAM, 2, 2, DIRECTIVE_FIRST, zone_add, NOTHING, NULL},
    {"limit_req", CONTEXT_HSL, 1, 3, 0, request_limit_add, NOTHING, NULL},
    {"limit_conn", CONTEXT_HSL | CONTEXT_STREAMS, 2, 2, 0, connection_limit_add, NOTHING, NULL},
    {"limit_req_status", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, status_set, NOTHING, NULL},
    {"limit_conn_status", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, status_set, NOTHING, NULL},
    {"limit_req_log_level", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, level_set, NOTHING, NULL},
    {"limit_conn_log_level", CONTEXT_HSL | CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, level_set, NOTHING, NULL},
    {"limit_req_dry_run", CONTEXT_HSL, 1, 1, DIRECTIVE_ONCE, dry_set, NOTHING, NULL},
    {"limit_conn_dry_run", CONTEXT_HSL | CONTEXT_STREAMS, 1, 1, DIRECTIVE_ONCE, dry_set, NOTHING, NULL},
};

const struct area limit_area = {rows, sizeof rows / sizeof *rows};
