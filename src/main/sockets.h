#ifndef MAIN_SOCKETS_H
#define MAIN_SOCKETS_H

#include "model/diagnostic.h"
#include "model/model.h"

/* The listening sockets of a model: one for each loop and address (SO_REUSEPORT), so that the kernel spreads
 * connections; a unix socket is one, named by a descriptor for each loop. */
struct sockets {
    size_t listens; /* model->listens.count */
    unsigned loops;
    int *fds; /* [listen * loops + loop]; -1: not opened, or given away */
};

/* Binds what `model` names and `before` (NULL: nothing) does not have open already: all of it, or on an error
 * none, said with the way out in diagnostics. `is_oneliner`: the way out is another -l. */
bool sockets_open(struct sockets *sockets, const struct model *model, const struct model *before,
                  unsigned loops, bool is_oneliner, struct diagnostics *diagnostics);
/* May this literal address be listened on? */
bool sockets_have_free(struct str host, uint16_t port);
/* The descriptor, which is the caller's from now on; -1 when it was not opened. */
int sockets_take(struct sockets *sockets, size_t listen, unsigned loop);
/* Closes what was not taken, and frees. */
void sockets_close(struct sockets *sockets);
/* Removes the files of unix sockets that `model` names and `after` (NULL: nothing) does not. */
void sockets_unlink(const struct model *model, const struct model *after);

#endif
