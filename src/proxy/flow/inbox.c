#include "proxy/flow/inbox.h"

#include "base/mem.h"

#include <errno.h>

static void owned_free(struct inbox *inbox) {
    if (!inbox->owned)
        return;
    *inbox->total -= inbox->capacity;
    mem_free(inbox->owned);
    inbox->owned = NULL;
    inbox->capacity = 0;
}

/* Moves the view to the front of a block of our own with room for `capacity` bytes. */
static bool owned_make(struct inbox *inbox, size_t capacity) {
    char *block = mem_alloc(capacity);
    if (!block)
        return false;
    if (inbox->view.len)
        memcpy(block, inbox->view.ptr, inbox->view.len);
    owned_free(inbox);
    inbox->owned = block;
    inbox->capacity = capacity;
    inbox->view.ptr = block;
    *inbox->total += capacity;
    return true;
}

static void filled_note(struct inbox *inbox, size_t bytes) {
    inbox->filled += bytes;
    if (inbox->meter)
        counter_add(inbox->meter, bytes);
}

ssize_t inbox_fill(struct inbox *inbox, struct duct *duct, char *scratch, size_t scratch_bytes,
                   size_t max_bytes) {
    enum { STEP = 1024 };
    if (inbox->view.len == 0) {
        owned_free(inbox);
        ssize_t got = duct_recv(duct, scratch, scratch_bytes);
        inbox->view = str_make(scratch, got > 0 ? (size_t)got : 0);
        filled_note(inbox, inbox->view.len);
        return got;
    }
    if (inbox->view.len >= max_bytes)
        return -EMSGSIZE;
    size_t end = inbox->owned ? (size_t)(inbox->view.ptr - inbox->owned) + inbox->view.len : 0;
    if (!inbox->owned || end == inbox->capacity) {
        size_t wanted = inbox->view.len + (inbox->view.len > STEP ? inbox->view.len : STEP);
        if (!owned_make(inbox, wanted < max_bytes ? wanted : max_bytes))
            return -ENOMEM;
        end = inbox->view.len;
    }
    ssize_t got = duct_recv(duct, inbox->owned + end, inbox->capacity - end);
    if (got > 0) {
        inbox->view.len += (size_t)got;
        filled_note(inbox, (size_t)got);
    }
    return got;
}

void inbox_consume(struct inbox *inbox, size_t used) {
    inbox->view = str_from(inbox->view, used);
    if (inbox->view.len == 0)
        owned_free(inbox);
}

bool inbox_settle(struct inbox *inbox) {
    if (inbox->view.len == 0 || inbox->owned)
        return true;
    return owned_make(inbox, inbox->view.len);
}

void inbox_fini(struct inbox *inbox) {
    owned_free(inbox);
    inbox->view = str_make("", 0);
}
