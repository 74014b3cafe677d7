#ifndef CODEC_RESULT_H
#define CODEC_RESULT_H

/* What a codec says of its input. */
enum codec_result {
    CODEC_DONE, /* a whole unit was read */
    CODEC_MORE, /* right so far, but not all there */
    CODEC_BAD,  /* against the grammar; never to be read on */
};

#endif
