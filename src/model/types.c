#include "model/types.h"

struct row {
    struct str extension, type;
};

#define TYPE(extension, type)                    \
    {                                            \
        {"" extension, sizeof(extension) - 1}, { \
            "" type, sizeof(type) - 1            \
        }                                        \
    }

static const struct row rows[] = {
    TYPE("html", "text/html"),
    TYPE("htm", "text/html"),
    TYPE("css", "text/css"),
    TYPE("js", "text/javascript"),
    TYPE("mjs", "text/javascript"),
    TYPE("json", "application/json"),
    TYPE("map", "application/json"),
    TYPE("webmanifest", "application/manifest+json"),
    TYPE("xml", "text/xml"),
    TYPE("txt", "text/plain"),
    TYPE("md", "text/markdown"),
    TYPE("csv", "text/csv"),
    TYPE("vtt", "text/vtt"),
    TYPE("ics", "text/calendar"),
    TYPE("png", "image/png"),
    TYPE("jpg", "image/jpeg"),
    TYPE("jpeg", "image/jpeg"),
    TYPE("gif", "image/gif"),
    TYPE("webp", "image/webp"),
    TYPE("avif", "image/avif"),
    TYPE("svg", "image/svg+xml"),
    TYPE("svgz", "image/svg+xml"),
    TYPE("ico", "image/x-icon"),
    TYPE("bmp", "image/bmp"),
    TYPE("tif", "image/tiff"),
    TYPE("tiff", "image/tiff"),
    TYPE("woff", "font/woff"),
    TYPE("woff2", "font/woff2"),
    TYPE("ttf", "font/ttf"),
    TYPE("otf", "font/otf"),
    TYPE("wasm", "application/wasm"),
    TYPE("pdf", "application/pdf"),
    TYPE("zip", "application/zip"),
    TYPE("gz", "application/gzip"),
    TYPE("rtf", "application/rtf"),
    TYPE("mp3", "audio/mpeg"),
    TYPE("ogg", "audio/ogg"),
    TYPE("wav", "audio/wav"),
    TYPE("weba", "audio/webm"),
    TYPE("m4a", "audio/mp4"),
    TYPE("mp4", "video/mp4"),
    TYPE("webm", "video/webm"),
    TYPE("mpeg", "video/mpeg"),
    TYPE("mov", "video/quicktime"),
    TYPE("m3u8", "application/vnd.apple.mpegurl"),
    TYPE("ts", "video/mp2t"),
    TYPE("rss", "application/rss+xml"),
    TYPE("atom", "application/atom+xml"),
    TYPE("xhtml", "application/xhtml+xml"),
    TYPE("bin", "application/octet-stream"),
};

struct map *types_built_in(struct arena *arena) {
    enum { ROWS = sizeof rows / sizeof *rows };
    struct map *map = arena_alloc(arena, sizeof *map);
    struct str *types = arena_zero(arena, ROWS, sizeof *types);
    if (!map || !types)
        return NULL;
    map_init(map, arena, true);
    for (size_t i = 0; i < ROWS; i++) {
        types[i] = rows[i].type;
        if (!map_put(map, rows[i].extension, &types[i]))
            return NULL;
    }
    return map;
}
