#ifndef SIM_PORT_H
#define SIM_PORT_H

#include <stddef.h>
#include <stdint.h>

/* What the world's side of base/mem.h and of the headers of loop and net tells beyond them. */

/* The byte of a simulated file at an offset. */
char port_file_byte(unsigned file, uint64_t offset);

/* Blocks and bytes from base/mem.h in use now. */
struct port_memory {
    size_t blocks, bytes, most_bytes;
    uint64_t calls;
};
struct port_memory port_memory(void);

#endif
