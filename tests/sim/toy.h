#ifndef SIM_TOY_H
#define SIM_TOY_H

/* Bugs that the toy can be given. */
extern enum toy_bug {
    TOY_IS_RIGHT,
    TOY_LOSES_BYTES,   /* on a partial write the rest is forgotten */
    TOY_DOUBLES_BYTES, /* on a partial write one byte is sent twice */
    TOY_READS_ONCE,    /* does not read until nothing is left */
    TOY_SPINS          /* its timer fires all the time */
} toy_bug;

#endif
