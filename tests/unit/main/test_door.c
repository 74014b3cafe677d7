#include "../unit.h"

#include "main/door.h"

static void assert_door(const char *path, const char *contents, const char *program) {
    const char *is = door_of(str_of(path), str_of(contents));
    if (program) {
        assert_non_null(is);
        assert_string_equal(is, program);
    } else {
        assert_null(is);
    }
}

static void names_tell(void **state) {
    (void)state;
    assert_door("/etc/haproxy/haproxy.cfg", "", "HAProxy");
    assert_door("Caddyfile", "example.com {\n}\n", "Caddy");
    assert_door("site.Caddyfile", "", "Caddy");
    assert_door("httpd.conf", "", "Apache httpd");
    assert_door("compose.yml", "", "Docker Compose");
}

static void first_words_tell(void **state) {
    (void)state;
    assert_door("x", "# a comment\n\nglobal\n  maxconn 10\n", "HAProxy");
    assert_door("x", "frontend web\r\n  bind :80\r\n", "HAProxy");
    assert_door("x", "<VirtualHost *:80>\n", "Apache httpd");
    assert_door("x", "http:\n  routers:\n", "Traefik");
    assert_door("x", "services:\n  web:\n", "Docker Compose");
    assert_door("x", "apiVersion: v1\n", "Kubernetes");
}

static void nginx_is_not_taken_for_another(void **state) {
    (void)state;
    assert_door("nginx.conf", "", NULL);
    assert_door("nginx.conf", "http {\n server { }\n}\n", NULL);
    assert_door("nginx.conf", "user www;\nbackend\n", NULL);
    assert_door("nginx.conf", "map $a\n  $b {\n}\nglobal\n", NULL);
    assert_door("nginx.conf", "globally {\n}\n", NULL);
    assert_door("nginx.conf", "   \n\t\n#global\n", NULL);
    assert_door("", "\n\n\n", NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_tell),
        cmocka_unit_test(first_words_tell),
        cmocka_unit_test(nginx_is_not_taken_for_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
