#include "main/door.h"

enum { LINES_MAX = 200 };

struct mark {
    const char *program;
    const char *name;     /* of the file, when its name alone tells */
    const char *suffix;   /* of its name, when that alone tells */
    const char *first[5]; /* words that begin a line at its margin, which nginx's language never has there */
};

static const struct mark marks[] = {
    {"HAProxy", "haproxy.cfg", NULL, {"global", "defaults", "frontend", "backend"}},
    {"Caddy", "Caddyfile", ".Caddyfile", {"reverse_proxy"}},
    {"Apache httpd", "httpd.conf", NULL, {"<VirtualHost", "LoadModule", "<Proxy", "<IfModule", "ServerRoot"}},
    {"Traefik", "traefik.yml", ".toml", {"entryPoints:", "[entryPoints]", "[http]", "providers:", "http:"}},
    {"Docker Compose", "docker-compose.yml", "compose.yml", {"services:"}},
    {"Kubernetes", NULL, NULL, {"apiVersion:", "kind:"}},
};

static struct str name_of(struct str path) {
    size_t at = path.len;
    while (at && path.ptr[at - 1] != '/')
        at--;
    return str_from(path, at);
}

static bool has_suffix(struct str s, const char *suffix) {
    struct str end = str_of(suffix);
    return s.len >= end.len && str_eq(str_from(s, s.len - end.len), end);
}

static bool is_word_end(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *program_of_line(struct str line) {
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        for (size_t k = 0; k < 5 && marks[i].first[k]; k++) {
            struct str word = str_of(marks[i].first[k]);
            if (line.len >= word.len && str_eq(str_head(line, word.len), word) &&
                (line.len == word.len || is_word_end(line.ptr[word.len])))
                return marks[i].program;
        }
    return NULL;
}

/* A file in nginx's language says so by its first statement: a word, and further on a ';' or '{'. */
static bool is_nginx_line(struct str line) {
    char last = line.ptr[line.len - 1];
    return last == ';' || last == '{' || last == '}';
}

static struct str trimmed(struct str line) {
    while (line.len && is_word_end(line.ptr[line.len - 1]))
        line.len--;
    return line;
}

const char *door_of(struct str path, struct str contents) {
    struct str name = name_of(path);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (marks[i].name && str_eq(name, str_of(marks[i].name)))
            return marks[i].program;
        if (marks[i].suffix && has_suffix(name, marks[i].suffix))
            return marks[i].program;
    }
    for (int n = 0; n < LINES_MAX && contents.len; n++) {
        const char *end = memchr(contents.ptr, '\n', contents.len);
        size_t len = end ? (size_t)(end - contents.ptr) : contents.len;
        struct str line = trimmed(str_head(contents, len));
        contents = str_from(contents, end ? len + 1 : len);
        if (!line.len || line.ptr[0] == '#')
            continue;
        if (is_nginx_line(line))
            return NULL;
        const char *program = program_of_line(line);
        if (program)
            return program;
    }
    return NULL;
}
