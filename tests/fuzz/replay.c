#include "fuzz.h"

#include <dirent.h>

/* replay FILE|DIRECTORY...: runs the target that it is linked with over each file. Says how many. */

static unsigned count;

static void replay_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    static char bytes[1 << 20];
    struct str copy = fuzz_copy(str_make(bytes, fread(bytes, 1, sizeof bytes, file)));
    fclose(file);
    /* so that whatever ends the program, its output names the input */
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput((const uint8_t *)copy.ptr, copy.len);
    fuzz_drop(copy);
    count++;
}

int main(int argc, char **argv) {
    char path[4096];
    /* the empty input belongs to every corpus */
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    count++;
    for (int i = 1; i < argc; i++) {
        DIR *directory = opendir(argv[i]);
        if (!directory) {
            replay_file(argv[i]);
            continue;
        }
        for (struct dirent *entry; (entry = readdir(directory));) {
            if (entry->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
            replay_file(path);
        }
        closedir(directory);
    }
    printf("%u\n", count);
    return 0;
}
