#include "../arena.h"

#include "base/hash.h"
#include "model/diagnostic.h"
#include "model/late.h"
#include "model/value_map.h"

enum { MURMUR_EMPTY = 0 };
#define MURMUR_A 2456313694u
#define MURMUR_HELLO 3848350155u

static struct template *text(const char *value) {
    struct template *t = arena_zero(&arena, 1, sizeof *t);
    assert_true(template_literal(t, str_of(value), &arena));
    return t;
}

static void is(const struct value_map *map, const char *value, const char *want) {
    struct str have;
    assert_true(template_is_literal(value_map_find(map, str_of(value), NULL), &have));
    assert_str(have, str_of(want));
}

static void map_exact_then_regex_then_default(void **state) {
    (void)state;
    struct value_map map = {0};
    struct str error;
    size_t at;
    map_init(&map.exact, &arena, true);
    is(&map, "x", "");
    assert_true(value_map_put(&map, STR(""), text("empty")));
    assert_true(value_map_put(&map, STR("WebSocket"), text("upgrade")));
    struct value_map_regex *slot = VEC_ADD(&map.regexes, &arena);
    *slot = (struct value_map_regex){regex_new(STR("^web"), false, &arena, &error, &at), *text("web")};
    slot = VEC_ADD(&map.regexes, &arena);
    *slot = (struct value_map_regex){regex_new(STR("w"), false, &arena, &error, &at), *text("w")};
    map.fallback = *text("close");
    is(&map, "", "empty");
    is(&map, "websocket", "upgrade");
    is(&map, "WEBSOCKET", "upgrade");
    is(&map, "website", "web");
    is(&map, "now", "w");
    is(&map, "h2c", "close");
    for (size_t i = 0; i < map.regexes.count; i++)
        regex_free(map.regexes.items[i].regex);
}

static void map_of_hosts(void **state) {
    (void)state;
    struct value_map map = {.is_hostnames = true, .fallback = *text("none")};
    map_init(&map.exact, &arena, true);
    assert_true(value_map_put(&map, STR("*.example.com"), text("all")));
    assert_true(value_map_put(&map, STR("*.a.example.com"), text("deep")));
    assert_true(value_map_put(&map, STR("example.com"), text("self")));
    assert_true(value_map_put(&map, STR(".example.org"), text("both")));
    assert_true(value_map_put(&map, STR("www.example.*"), text("end")));
    is(&map, "example.com", "self");
    is(&map, "Example.COM.", "self");
    is(&map, "x.example.com", "all");
    is(&map, "x.a.example.com", "deep");
    is(&map, "www.example.com", "all");
    is(&map, "www.example.de", "end");
    is(&map, "example.org", "both");
    is(&map, "x.example.org", "both");
    is(&map, "example.net", "none");
    is(&map, "", "none");
    assert_true(value_map_has(&map, STR("*.example.com")));
    assert_false(value_map_has(&map, STR("*.example.net")));
}

static struct template names(struct variable variable) {
    struct template_part *part = arena_zero(&arena, 1, sizeof *part);
    assert_non_null(part);
    part->variable = variable;
    return (struct template){part, 1};
}

/* Late is what names the time or a count, wherever in the map it does, and what names such a map. */
static void late_maps(void **state) {
    (void)state;
    struct template msec = names(variable_find(STR("msec"))), uri = names(variable_find(STR("uri")));
    struct template late = names(variable_find(STR("request_time")));
    assert_true(template_is_late(&msec) && template_is_late(&late));
    assert_false(template_is_late(&uri) || template_is_late(text("x")));
    struct value_map early = {.source = uri, .fallback = *text("x")}, by_time = early, gives = early,
                     both = early;
    map_init(&early.exact, &arena, true);
    map_init(&gives.exact, &arena, true);
    assert_true(value_map_put(&early, STR("a"), &uri));
    assert_true(value_map_put(&gives, STR("a"), &msec));
    by_time.source = late;
    assert_false(value_map_names_late(&early));
    assert_true(value_map_names_late(&by_time));
    assert_true(value_map_names_late(&gives));
    both.fallback = names((struct variable){.id = VARIABLE_MAP, .map = &gives});
    assert_false(value_map_names_late(&both)); /* it is not known of the other yet */
    gives.is_late = true;
    assert_true(value_map_names_late(&both));
    struct value_map_share *share = VEC_ADD(&early.shares, &arena);
    share->value = msec;
    assert_true(value_map_names_late(&early));
}

static void shares(void **state) {
    (void)state;
    struct value_map map = {.kind = VALUE_MAP_SHARES, .fallback = *text("none")};
    assert_int_equal(hash_murmur2(STR("")), MURMUR_EMPTY);
    assert_int_equal(hash_murmur2(STR("a")), MURMUR_A);
    assert_int_equal(hash_murmur2(STR("hello")), MURMUR_HELLO);
    is(&map, "a", "none");
    struct value_map_share *slot = VEC_ADD(&map.shares, &arena);
    *slot = (struct value_map_share){MURMUR_A, *text("below")};
    slot = VEC_ADD(&map.shares, &arena);
    *slot = (struct value_map_share){MURMUR_A + 1u, *text("a")};
    is(&map, "a", "a");
    slot = VEC_ADD(&map.shares, &arena);
    *slot = (struct value_map_share){0, *text("rest")};
    is(&map, "hello", MURMUR_HELLO < MURMUR_A ? "below" : "rest");
}

static void put_network(struct value_map *map, const char *network, const char *value) {
    struct cidr cidr;
    assert_int_equal(cidr_parse(str_of(network), &cidr), CIDR_PARSED);
    assert_true(value_map_put_network(map, &cidr, text(value), &arena));
}

static void networks(void **state) {
    (void)state;
    struct value_map map = {.kind = VALUE_MAP_NETWORKS, .fallback = *text("none")};
    map_init(&map.exact, &arena, false);
    put_network(&map, "10.0.0.0/8", "ten");
    put_network(&map, "10.1.0.0/16", "one");
    put_network(&map, "10.1.2.3", "host");
    put_network(&map, "2001:db8::/32", "six");
    put_network(&map, "::1", "self");
    is(&map, "10.2.0.1", "ten");
    is(&map, "10.1.0.1", "one");
    is(&map, "10.1.2.3", "host");
    is(&map, "::ffff:10.1.2.3", "host");
    is(&map, "11.0.0.1", "none");
    is(&map, "2001:db8:1::2", "six");
    is(&map, "::1", "self");
    is(&map, "::2", "none");
    is(&map, "10.0.0.0/8", "none");
    is(&map, "unix:", "none");
    is(&map, "", "none");
    put_network(&map, "0.0.0.0/0", "all");
    is(&map, "11.0.0.1", "all");
    is(&map, "::2", "none");
}

static void free_names(void **state) {
    (void)state;
    assert_true(variable_is_free(STR("mine")));
    assert_true(variable_is_free(STR("http_mine")));
    assert_true(variable_is_free(STR("arg_a")));
    assert_false(variable_is_free(STR("http_host")));
    assert_false(variable_is_free(STR("args")));
    assert_false(variable_is_free(STR("uri")));
}

static void variables(void **state) {
    (void)state;
    struct variable v = variable_find(STR("host"));
    assert_int_equal(v.id, VARIABLE_HOST);
    assert_str(v.name, STR("host"));
    v = variable_find(STR("http_x_forwarded_for"));
    assert_int_equal(v.id, VARIABLE_HTTP);
    assert_str(v.name, STR("x_forwarded_for"));
    assert_int_equal(variable_find(STR("sent_http_x")).id, VARIABLE_SENT_HTTP);
    assert_int_equal(variable_find(STR("arg_room")).id, VARIABLE_ARG);
    assert_int_equal(variable_find(STR("http_")).id, VARIABLE_NONE);
    assert_int_equal(variable_find(STR("")).id, VARIABLE_NONE);
    assert_int_equal(variable_find(STR("nothing")).id, VARIABLE_NONE);
}

static void templates(void **state) {
    (void)state;
    struct template t;
    struct str have;
    assert_true(template_literal(&t, STR(""), &arena));
    assert_true(template_is_empty(&t));
    assert_true(template_is_literal(&t, &have));
    assert_str(have, STR(""));
    struct template_part parts[2] = {{.text = STR("a")}, {.variable = variable_find(STR("host"))}};
    t = (struct template){parts, 2};
    assert_false(template_is_literal(&t, &have));
    t = (struct template){parts + 1, 1};
    assert_false(template_is_literal(&t, &have));
    t = (struct template){parts, 1};
    assert_true(template_is_literal(&t, &have));
    assert_str(have, STR("a"));
}

static void prints(const struct diagnostic *diagnostic, bool in_colour, const char *want) {
    char text_out[1000];
    struct builder out = builder_make(text_out, sizeof text_out);
    diagnostic_print(&out, diagnostic, in_colour);
    assert_str(builder_view(&out), str_of(want));
}

static void diagnostics_print(void **state) {
    (void)state;
    struct diagnostics all;
    struct place place = {STR("nginx.conf"), 3, 7};
    diagnostics_init(&all, &arena);
    struct diagnostic *said = diagnostics_add(&all, SEVERITY_ERROR, place, "unknown \"%s\"", "lisen");
    said->source = STR("\t  a\tlisen 80;");
    diagnostic_hint(&all, said, "did you mean \"%s\"?", "listen");
    prints(
        said, false,
        "nginx.conf:3:7: error: unknown \"lisen\"\n    a\tlisen 80;\n     \t ^\n  did you mean \"listen\"?\n");
    said->place.column = 6;
    prints(
        said, false,
        "nginx.conf:3:6: error: unknown \"lisen\"\n    a\tlisen 80;\n     \t^\n  did you mean \"listen\"?\n");
    said = diagnostics_add(&all, SEVERITY_WARNING, (struct place){STR(""), 0, 0}, "text\033[2J");
    prints(said, false, "warning: text\\x1b[2J\n");
    said = diagnostics_add(&all, SEVERITY_NOTE, (struct place){STR("f"), 0, 0}, "text");
    prints(said, true, "\033[1mf: \033[0m\033[1;36mnote: \033[0mtext\n");
    /* a letter of two bytes takes one column */
    said = diagnostics_add(&all, SEVERITY_NOTE, (struct place){STR("f"), 1, 4}, "text");
    said->source = STR("\xc3\xa9 x");
    prints(said, false, "f:1:4: note: text\n    \xc3\xa9 x\n      ^\n");
    assert_int_equal(all.errors, 1);
    assert_int_equal(all.warnings, 1);
}

static void diagnostics_are_bounded(void **state) {
    (void)state;
    struct diagnostics all;
    diagnostics_init(&all, &arena);
    for (int i = 0; i < 1000; i++) {
        struct diagnostic *said =
            diagnostics_add(&all, SEVERITY_ERROR, (struct place){STR("f"), 1, 1}, "%d", i);
        diagnostic_hint(&all, said, "hint");
    }
    assert_int_equal(all.errors, 1000);
    assert_int_equal(all.list.count, DIAGNOSTICS_MAX);
}

static void nearest(void **state) {
    (void)state;
    const struct str words[] = {STR("listen"), STR("location"), STR("upstream"), STR("root"), STR("if")};
    assert_str(diagnostic_nearest(STR("lisen"), words, 5), STR("listen"));
    assert_str(diagnostic_nearest(STR("litsen"), words, 5), STR("listen"));
    assert_str(diagnostic_nearest(STR("tream"), words, 5), STR("upstream"));
    assert_str(diagnostic_nearest(STR("loc"), words, 5), STR(""));
    assert_str(diagnostic_nearest(STR("rot"), words, 5), STR("root"));
    assert_str(diagnostic_nearest(STR("xyzzy"), words, 5), STR(""));
    assert_str(diagnostic_nearest(STR(""), words, 5), STR(""));
    assert_str(diagnostic_nearest(STR("ab"), words, 5), STR(""));
    assert_str(diagnostic_nearest(STR("lisen"), words, 0), STR(""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_exact_then_regex_then_default),
        cmocka_unit_test(map_of_hosts),
        cmocka_unit_test(late_maps),
        cmocka_unit_test(shares),
        cmocka_unit_test(networks),
        cmocka_unit_test(free_names),
        cmocka_unit_test(variables),
        cmocka_unit_test(templates),
        cmocka_unit_test(diagnostics_print),
        cmocka_unit_test(diagnostics_are_bounded),
        cmocka_unit_test(nearest),
    };
    return cmocka_run_group_tests(tests, arena_begin, arena_end);
}
