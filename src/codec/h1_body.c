#include "codec/h1_body.h"

#include "codec/h1_scan.h"

/* The chunk grammar of RFC 9112 7.1, a state for each place in it. EXT_*: chunk-ext, 7.1.1, with the blanks
 * that are allowed around ';' and '='. */
enum state {
    SIZE_FIRST,
    SIZE,
    EXT_START, /* behind the size: blanks before ';' */
    EXT_BEFORE_NAME,
    EXT_NAME,
    EXT_AFTER_NAME,
    EXT_BEFORE_VALUE,
    EXT_VALUE,
    EXT_QUOTED,
    EXT_ESCAPED,
    EXT_AFTER_QUOTED,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    LINE_START, /* of a trailer line or of the last, empty one */
    NAME,
    VALUE,
    LINE_LF,
    END_LF,
    BROKEN
};

void h1_body_init(struct h1_body *body, const struct h1_head *head) {
    *body = (struct h1_body){.framing = head->framing, .state = SIZE_FIRST};
    body->remaining = head->framing == H1_LENGTH ? head->content_length : 0;
    body->is_complete = head->framing == H1_NO_BODY || (head->framing == H1_LENGTH && body->remaining == 0);
}

bool h1_body_end(struct h1_body *body) {
    if (body->framing == H1_UNTIL_CLOSE)
        body->is_complete = true;
    return body->is_complete;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = str_lower_char(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static bool is_token(char c) {
    return h1_token_bytes[(unsigned char)c];
}

static enum state size_digit(struct h1_body *body, char c) {
    int digit = hex_value(c);
    if (digit < 0 || body->remaining > (uint64_t)INT64_MAX >> 4)
        return BROKEN;
    body->remaining = body->remaining << 4 | (uint64_t)digit;
    return SIZE;
}

/* What may follow a whole size or extension. */
static enum state ext_next(char c) {
    return c == ';' ? EXT_BEFORE_NAME : c == '\r' ? SIZE_LF : BROKEN;
}

/* Takes one byte of a chunk-size line. */
static enum state size_step(struct h1_body *body, char c) {
    switch ((enum state)body->state) {
    case SIZE_FIRST:
        return size_digit(body, c);
    case SIZE:
        return hex_value(c) >= 0 ? size_digit(body, c) : is_blank(c) ? EXT_START : ext_next(c);
    case EXT_START:
        return is_blank(c) ? EXT_START : c == ';' ? EXT_BEFORE_NAME : BROKEN;
    case EXT_BEFORE_NAME:
        return is_blank(c) ? EXT_BEFORE_NAME : is_token(c) ? EXT_NAME : BROKEN;
    case EXT_NAME:
        if (is_token(c))
            return EXT_NAME;
        return is_blank(c) ? EXT_AFTER_NAME : c == '=' ? EXT_BEFORE_VALUE : ext_next(c);
    case EXT_AFTER_NAME:
        return is_blank(c) ? EXT_AFTER_NAME : c == '=' ? EXT_BEFORE_VALUE : c == ';' ? EXT_BEFORE_NAME : BROKEN;
    case EXT_BEFORE_VALUE:
        return is_blank(c) ? EXT_BEFORE_VALUE : c == '"' ? EXT_QUOTED : is_token(c) ? EXT_VALUE : BROKEN;
    case EXT_VALUE:
        return is_token(c) ? EXT_VALUE : is_blank(c) ? EXT_START : ext_next(c);
    case EXT_QUOTED:
        if (h1_ends_value(c))
            return BROKEN;
        return c == '"' ? EXT_AFTER_QUOTED : c == '\\' ? EXT_ESCAPED : EXT_QUOTED;
    case EXT_ESCAPED:
        return h1_ends_value(c) ? BROKEN : EXT_QUOTED;
    case EXT_AFTER_QUOTED:
        return is_blank(c) ? EXT_START : ext_next(c);
    case SIZE_LF:
        return c != '\n' ? BROKEN : body->remaining ? DATA : LINE_START;
    default:
        return BROKEN;
    }
}

/* Takes one byte of a trailer line, RFC 9112 5. */
static enum state trailer_step(const struct h1_body *body, char c) {
    switch ((enum state)body->state) {
    case LINE_START:
        return c == '\r' ? END_LF : is_token(c) ? NAME : BROKEN;
    case NAME:
        return c == ':' ? VALUE : is_token(c) ? NAME : BROKEN;
    case VALUE:
        return c == '\r' ? LINE_LF : h1_ends_value(c) ? BROKEN : VALUE;
    case LINE_LF:
        return c == '\n' ? LINE_START : BROKEN;
    default:
        return BROKEN;
    }
}

/* The next state for one byte outside of data. */
static enum state step(struct h1_body *body, char c) {
    if (body->state <= SIZE_LF) {
        if (body->state == SIZE_FIRST)
            body->line_len = 0;
        return ++body->line_len > H1_CHUNK_LINE_MAX ? BROKEN : size_step(body, c);
    }
    if (body->state == DATA_CR)
        return c == '\r' ? DATA_LF : BROKEN;
    if (body->state == DATA_LF)
        return c == '\n' ? SIZE_FIRST : BROKEN;
    enum state next = trailer_step(body, c);
    if (next != END_LF && ++body->trailer_len > H1_TRAILER_MAX)
        return BROKEN;
    return next;
}

/* Gives what there is of the body, or of the chunk, as the slice. */
static void data_take(struct h1_body *body, struct str *input, struct str *slice) {
    *slice = body->remaining < input->len ? str_head(*input, (size_t)body->remaining) : *input;
    *input = str_make(input->ptr + slice->len, input->len - slice->len);
    body->remaining -= slice->len;
}

static enum codec_result chunked_read(struct h1_body *body, struct str *input, struct str *slice,
                                      enum h1_slice_kind *kind) {
    while (input->len) {
        char c = *input->ptr;
        if (body->state == DATA) {
            if (slice->len)
                return CODEC_MORE;
            data_take(body, input, slice);
            if (body->remaining == 0)
                body->state = DATA_CR;
            continue;
        }
        if (body->state == END_LF && c == '\n') {
            *input = str_make(input->ptr + 1, input->len - 1);
            body->is_complete = true;
            return CODEC_DONE;
        }
        struct h1_body before = *body;
        enum state next = step(body, c);
        bool is_trailer = before.state >= LINE_START && next >= LINE_START && next <= LINE_LF;
        /* what cannot go into this slice, and a fault behind it, is for the next call */
        if (slice->len && (next == BROKEN || (is_trailer && *kind == H1_SLICE_DATA))) {
            *body = before;
            return CODEC_MORE;
        }
        body->state = (uint8_t)next;
        if (next == BROKEN)
            return CODEC_BAD;
        if (is_trailer) {
            *kind = H1_SLICE_TRAILER;
            *slice = str_make(slice->len ? slice->ptr : input->ptr, slice->len + 1);
        }
        *input = str_make(input->ptr + 1, input->len - 1);
    }
    return CODEC_MORE;
}

enum codec_result h1_body_read(struct h1_body *body, struct str *input, struct str *slice,
                               enum h1_slice_kind *kind) {
    *slice = str_make("", 0);
    *kind = H1_SLICE_DATA;
    if (body->is_complete)
        return CODEC_DONE;
    if (body->state == BROKEN)
        return CODEC_BAD;
    if (body->framing == H1_CHUNKED)
        return chunked_read(body, input, slice, kind);
    if (body->framing == H1_LENGTH) {
        data_take(body, input, slice);
        body->is_complete = body->remaining == 0;
        return body->is_complete ? CODEC_DONE : CODEC_MORE;
    }
    *slice = *input;
    *input = str_make(input->ptr + input->len, 0);
    return CODEC_MORE;
}

size_t h1_chunk_head(char out[H1_CHUNK_HEAD_MAX], size_t len) {
    unsigned digits = 1;
    while (digits < 16 && len >> (4 * digits))
        digits++;
    for (unsigned i = 0; i < digits; i++)
        out[i] = "0123456789abcdef"[len >> (4 * (digits - 1 - i)) & 15];
    out[digits] = '\r';
    out[digits + 1] = '\n';
    return digits + 2;
}
