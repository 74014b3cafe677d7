#include "setting.h"

static uint64_t between(uint64_t from, uint64_t to) {
    return dice_between(&world.fate, from, to);
}

static unsigned maybe(unsigned in_1000, unsigned most) {
    return dice_chance(&world.fate, in_1000) ? (unsigned)between(1, most) : 0;
}

static void windows_draw(struct setting *setting) {
    struct weather *weather = &setting->weather;
    switch (dice_below(&world.fate, 5)) {
    case 0: /* a few bytes at a time, over a short way */
        weather->window_min = 1;
        weather->window_max = between(1, 64);
        weather->latency_us = (unsigned)between(0, 50);
        weather->jitter_us = (unsigned)between(0, 50);
        setting->profile.body_max = 300;
        break;
    case 1:
        weather->window_min = 100;
        weather->window_max = 3000;
        weather->latency_us = (unsigned)between(0, 2000);
        weather->jitter_us = (unsigned)between(0, 2000);
        setting->profile.body_max = 8000;
        break;
    default:
        weather->window_min = 4096;
        weather->window_max = dice_chance(&world.fate, 500) ? 65536 : 262144;
        weather->latency_us = (unsigned)between(0, 40000);
        weather->jitter_us = (unsigned)between(0, 20000);
        setting->profile.body_max = dice_chance(&world.fate, 20) ? 300000 : 12000;
        break;
    }
    if (dice_chance(&world.fate, 600)) {
        weather->piece_min = 1;
        weather->piece_max = dice_chance(&world.fate, 300) ? 1 : between(1, 1460);
        if (setting->profile.body_max > 12000) /* it would take minutes */
            setting->profile.body_max = 12000;
    }
}

/* What also happens when nothing is wrong. */
static void order_draw(struct weather *weather) {
    weather->split = maybe(500, 500);
    weather->hold = maybe(400, 300);
    weather->shuffle = maybe(600, 1000);
    weather->slip = maybe(500, 200);
    weather->send_short = maybe(500, 400);
    weather->send_again = maybe(400, 200);
    weather->recv_again = maybe(300, 100);
    weather->backlog = 128;
    weather->fd_limit = 1000;
}

static void faults_draw(struct weather *weather) {
    weather->accept_fail = maybe(300, 200);
    weather->connect_fail = maybe(300, 150);
    weather->file_fail = maybe(200, 200);
    weather->reset = maybe(400, 15);
    weather->jump = maybe(200, 10);
    weather->jump_max_ms = (unsigned)between(1, 4000);
    weather->reset_discards = dice_chance(&world.fate, 300);
    if (dice_chance(&world.fate, 150))
        weather->fd_limit = (int)between(4, 40);
    if (dice_chance(&world.fate, 150))
        weather->backlog = (int)between(1, 5);
}

static void profile_draw(struct profile *profile) {
    profile->is_calm = dice_chance(&world.fate, 400);
    profile->delay_max_ms = (unsigned)between(0, 200);
    profile->clients = (unsigned)(dice_chance(&world.fate, 100) ? between(10, 30) : between(1, 7));
    profile->nodes = (unsigned)between(1, CROWD_NODES);
    profile->has_upgrade = dice_chance(&world.fate, 850);
    profile->has_return = true;
    profile->has_files = dice_chance(&world.fate, 500);
    profile->has_sticky = dice_chance(&world.fate, 700);
    profile->has_sessions = profile->has_sticky || profile->nodes == 1;
    profile->has_guard = dice_chance(&world.fate, 250);
    profile->has_malformed = dice_chance(&world.fate, 500);
    profile->is_stream = dice_chance(&world.fate, 150);
    if (profile->is_stream) {
        profile->has_return = profile->has_files = profile->has_sticky = profile->has_guard = false;
        profile->has_malformed = false;
        profile->has_sessions = profile->nodes == 1;
    }
    if (!profile->is_calm) {
        profile->forgives = dice_chance(&world.fate, 500);
        profile->misdeeds = profile->is_stream ? 0 : maybe(700, 300); /* which nobody puts right here */
        profile->wrongs = maybe(700, 300);
    }
}

/* A stream's client must always find its node. */
static const char *method_draw(const struct setting *setting) {
    static const char *const methods[] = {"", "least_conn;", "ip_hash;", "hash $remote_addr consistent;",
                                          "hash $request_uri;"};
    return methods[setting->profile.is_stream ? 3 : dice_below(&world.fate, 5)];
}

static void upstream_build(const struct setting *setting, struct builder *out) {
    builder_format(out, "upstream nodes {\n%s\n", method_draw(setting));
    if (setting->profile.has_sticky)
        builder_format(out, "sticky sid;\n");
    for (unsigned i = 0; i < setting->profile.nodes; i++) {
        builder_format(out, "server app%u:3000", i + 1);
        if (dice_chance(&world.fate, 300))
            builder_format(out, " weight=%u", (unsigned)between(1, 5));
        if (setting->profile.forgives)
            builder_format(out, " max_fails=0");
        else if (!setting->profile.is_calm && dice_chance(&world.fate, 300))
            builder_format(out, " max_fails=%u fail_timeout=%us", (unsigned)between(0, 3),
                           (unsigned)between(1, 10));
        builder_format(out, ";\n");
    }
    if (!setting->profile.is_stream && dice_chance(&world.fate, 600))
        builder_format(out, "keepalive %u;\n", (unsigned)dice_below(&world.fate, 8));
    builder_format(out, "}\n");
}

static void timeouts_build(const struct setting *setting, struct builder *out) {
    unsigned from = setting->profile.is_calm ? 15 : 2, to = setting->profile.is_calm ? 40 : 12;
    static const char *const names[] = {"proxy_connect_timeout", "proxy_read_timeout",  "proxy_send_timeout",
                                        "client_header_timeout", "client_body_timeout", "send_timeout",
                                        "keepalive_timeout"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        builder_format(out, "%s %us;\n", names[i], (unsigned)between(from, to));
}

/* Bodies: passed as they come, or kept, in much or little memory. */
static void buffers_build(struct builder *out) {
    if (dice_chance(&world.fate, 400))
        builder_format(out, "proxy_request_buffering off;\n");
    if (dice_chance(&world.fate, 500))
        builder_format(out, "client_body_buffer_size %u;\n", (unsigned)between(1, 2000));
    if (dice_chance(&world.fate, 400))
        builder_format(out, "proxy_buffering off;\n");
    if (dice_chance(&world.fate, 500))
        builder_format(out, "proxy_max_temp_file_size %u;\n",
                       dice_chance(&world.fate, 300) ? 0 : (unsigned)between(4096, 50000));
    if (dice_chance(&world.fate, 300))
        builder_format(out, "proxy_buffer_size 1k;\nproxy_buffers %u 1k;\n", (unsigned)between(3, 9));
}

/* Logged or not: what a tunnel's line takes is settled at its beginning, or the exchange stays for it. */
static void logs_build(struct builder *out, const char *time) {
    if (dice_chance(&world.fate, 400)) {
        builder_format(out, "access_log off;\n");
        return;
    }
    builder_format(out,
                   "log_format line \"$remote_addr $status $upstream_addr $bytes_sent $%s $time_local\";\n"
                   "map $%s $slow { default \"\"; ~^[1-9] 1; }\naccess_log /dev/null line%s;\n",
                   time, time, dice_chance(&world.fate, 300) ? " if=$slow" : "");
}

/* Everybody may pass, but it is asked: at once, or by a connection that is refused. */
static void guard_build(struct builder *out) {
    builder_format(
        out,
        "location = /here { internal; return 204; }\nlocation @pass { return 204; }\n"
        "location = /there { internal; proxy_pass http://10.3.0.1:1; error_page 502 503 504 = @pass; }\n"
        "limit_conn clients 1000;\nlimit_req zone=requests burst=100000 nodelay;\n"
        "auth_request %s;\nauth_request_set $asked $upstream_addr;\n",
        dice_chance(&world.fate, 400) ? "/here" : "/there");
}

/* Every path goes by another location, and comes back as it was. */
static void detour_build(struct builder *out) {
    builder_format(out, "set $detour \"/detour$kind\";\nif ($http_x_nobody ~ ^(no)(body)$) { return 444; }\n"
                        "rewrite ^/(?<rest>.*)$ $detour/$rest;\n"
                        "location /detour {\nif ($kind != \"\") { set $args $args; }\n"
                        "if (-f /srv/none) { return 404; }\nrewrite ^/detour[a-z]*/(.*)$ /$1 last;\n}\n");
}

static void server_build(const struct setting *setting, struct builder *out) {
    builder_format(out, "server {\nlisten 8080;\n");
    if (dice_chance(&world.fate, 250))
        detour_build(out);
    timeouts_build(setting, out);
    buffers_build(out);
    if (!setting->profile.is_calm && dice_chance(&world.fate, 200))
        builder_format(out, "keepalive_requests %u;\n", (unsigned)between(1, 4));
    if (!setting->profile.is_calm && dice_chance(&world.fate, 200))
        builder_format(out, "proxy_next_upstream %s;\n",
                       dice_chance(&world.fate, 500) ? "off"
                                                     : "error timeout invalid_header http_500 http_404");
    if (setting->profile.has_guard)
        guard_build(out);
    builder_format(out, "location = /return { return 200 \"hello\"; }\n");
    if (setting->profile.has_files)
        builder_format(out, "location /files/ { root /srv; }\n");
    builder_format(out, "location / {\nproxy_pass http://nodes;\n");
    if (dice_chance(&world.fate, 300))
        builder_format(out, "proxy_set_header Host $host;\nproxy_set_header X-Forwarded-For "
                            "$proxy_add_x_forwarded_for;\n");
    if (setting->profile.has_upgrade && dice_chance(&world.fate, 300))
        builder_format(out, "proxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;\n"
                            "proxy_set_header Connection \"upgrade\";\n");
    builder_format(out, "}\n}\n");
}

static void stream_build(const struct setting *setting, struct builder *out) {
    bool is_calm = setting->profile.is_calm;
    builder_format(out, "events {}\nstream {\nlimit_conn_zone $binary_remote_addr zone=clients:64k;\n");
    logs_build(out, "session_time");
    upstream_build(setting, out);
    builder_format(out,
                   "server {\nlisten 8080;\nproxy_pass nodes;\nproxy_connect_timeout %us;\nproxy_timeout "
                   "%us;\nlimit_conn clients 1000;\nallow all;\n",
                   (unsigned)between(is_calm ? 15 : 2, 40), (unsigned)between(is_calm ? 60 : 2, 90));
    if (setting->profile.has_upgrade || dice_chance(&world.fate, 500)) /* whose tunnels are closed by halves */
        builder_format(out, "proxy_half_close on;\n");
    if (dice_chance(&world.fate, 300))
        builder_format(out, "ssl_preread on;\n");
    if (dice_chance(&world.fate, 300))
        builder_format(out, "proxy_upload_rate %u;\n", (unsigned)between(8000, 200000));
    if (dice_chance(&world.fate, 300))
        builder_format(out, "proxy_download_rate %u;\n", (unsigned)between(8000, 200000));
    builder_format(out, "}\n}\n");
}

void setting_redraw(struct setting *setting) {
    struct builder out = builder_make(setting->text, sizeof setting->text);
    if (setting->profile.is_stream) {
        stream_build(setting, &out);
        setting->text_len = out.len;
        return;
    }
    builder_format(&out, "events {}\nhttp {\nlimit_conn_zone $remote_addr zone=clients:64k;\n"
                         "limit_req_zone $remote_addr zone=requests:64k rate=1000r/s;\n"
                         "map $request_method $kind { default \"\"; ~^P(o|O)(?<last>.*)$ p; }\n");
    logs_build(&out, "request_time");
    upstream_build(setting, &out);
    server_build(setting, &out);
    builder_format(&out, "}\n");
    setting->text_len = out.len;
}

void setting_draw(struct setting *setting) {
    memset(setting, 0, sizeof *setting);
    profile_draw(&setting->profile);
    windows_draw(setting);
    order_draw(&setting->weather);
    if (!setting->profile.is_calm) {
        faults_draw(&setting->weather);
        setting->incidents = maybe(600, 5);
    }
    setting->heal_ms = setting->profile.is_calm ? 600000 : 20000;
    setting->patience_ms = 200000;
    setting->drains = dice_chance(&world.fate, 500);
    setting_redraw(setting);
}

void setting_plain(struct setting *setting) {
    memset(setting, 0, sizeof *setting);
    setting->weather = world.weather;
    setting->profile = (struct profile){.is_calm = true,
                                        .body_max = 5000,
                                        .delay_max_ms = 10,
                                        .clients = 1,
                                        .nodes = 1,
                                        .has_upgrade = true,
                                        .has_return = true,
                                        .has_sticky = true,
                                        .has_sessions = true};
    setting->heal_ms = setting->patience_ms = 60000;
    setting_redraw(setting);
}
