#include "../unit.h"

#include "net/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* folder/secret, folder/root/{page,sub/inner,link -> page,out -> ../secret,fifo,socket} */
static char folder[] = "/tmp/hawser-unit-XXXXXX";
static char root[64];

static const char *at(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *text) {
    int fd = open(at(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void put_socket(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", at(name));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

static int setup(void **state) {
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(root, sizeof root, "%s/root", folder);
    assert_int_equal(mkdir(root, 0755), 0);
    assert_int_equal(mkdir(at("root/sub"), 0755), 0);
    put("secret", "secret");
    put("root/page", "0123456789");
    put("root/sub/inner", "inner");
    put("root/..name", "dots");
    assert_int_equal(symlink("page", at("root/link")), 0);
    assert_int_equal(symlink("../secret", at("root/out")), 0);
    assert_int_equal(mkfifo(at("root/fifo"), 0644), 0);
    put_socket("root/socket");
    return 0;
}

static int teardown(void **state) {
    static const char *const names[] = {"root/sub/inner", "root/page", "root/..name", "root/link",
                                        "root/out",       "root/fifo", "root/socket", "secret"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(at(names[i]));
    rmdir(at("root/sub"));
    rmdir(root);
    return rmdir(folder);
}

/* What is beneath the root, which alone is the configuration's. */
static int open_beneath(const char *path, struct file_info *info) {
    static char text[PATH_MAX + 200];
    snprintf(text, sizeof text, "%s/%s", root, path);
    return file_open(text, strlen(root), info);
}

static void files_are_read_at_offsets(void **state) {
    struct file_info info;
    char bytes[16];
    (void)state;
    int fd = open_beneath("page", &info);
    assert_true(fd >= 0);
    assert_true(info.is_regular);
    assert_false(info.is_directory);
    assert_int_equal(info.size, 10);
    assert_true(info.modified_s > 1700000000);
    assert_int_equal(file_read(fd, bytes, sizeof bytes, 7), 3);
    assert_memory_equal(bytes, "789", 3);
    assert_int_equal(file_read(fd, bytes, sizeof bytes, 10), 0);
    assert_int_equal(file_read(fd, bytes, sizeof bytes, UINT64_MAX), -EINVAL);
    file_close(fd);
}

static void opens(const char *path, bool is_directory) {
    struct file_info info;
    int fd = open_beneath(path, &info);
    assert_true(fd >= 0);
    assert_int_equal(info.is_directory, is_directory);
    file_close(fd);
}

static void what_lies_beneath_is_opened(void **state) {
    (void)state;
    opens("", true);
    opens("sub", true);
    opens("sub/", true);
    opens("sub/inner", false);
    opens("sub//inner", false);
    opens("./page", false);
    opens("..name", false);
    opens("link", false);
    opens("out", false); /* links are the administrator's word */
}

static void what_does_not_is_refused(void **state) {
    static const struct {
        const char *path;
        int error;
    } cases[] = {
        {"../secret", -EACCES},        {"..", -EACCES},   {"sub/../page", -EACCES}, {"sub/..", -EACCES},
        {"sub/../../secret", -EACCES}, {"fifo", -ENODEV}, {"socket", -ENODEV},      {"none", -ENOENT},
        {"page/none", -ENOTDIR},
    };
    struct file_info info;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(open_beneath(cases[i].path, &info), cases[i].error);
    static char longest[PATH_MAX + 10];
    memset(longest, 'a', sizeof longest - 1);
    assert_int_equal(open_beneath(longest, &info), -ENAMETOOLONG);
}

static void what_the_configuration_says_may_go_upwards(void **state) {
    struct file_info info;
    char text[200];
    (void)state;
    size_t trusted = (size_t)snprintf(text, sizeof text, "%s/sub/../", root);
    snprintf(text + trusted, sizeof text - trusted, "page");
    int fd = file_open(text, trusted, &info);
    assert_true(fd >= 0);
    file_close(fd);
    assert_int_equal(file_open(text, trusted - 2, &info), -EACCES); /* a byte of ".." is the client's */
    snprintf(text + trusted, sizeof text - trusted, "../secret");
    assert_int_equal(file_open(text, trusted, &info), -EACCES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_at_offsets),
        cmocka_unit_test(what_lies_beneath_is_opened),
        cmocka_unit_test(what_does_not_is_refused),
        cmocka_unit_test(what_the_configuration_says_may_go_upwards),
    };
    return cmocka_run_group_tests_name("file", tests, setup, teardown);
}
