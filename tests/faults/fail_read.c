/* Makes the n-th look at one file fail with EIO, from the environment:
 * FAULT_FILE, its path; FAULT_NUMBER, n; FAULT_FIRED, a file that is made when it took place. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long seen;

static int fails(void) {
    const char *number = getenv("FAULT_NUMBER"), *fired = getenv("FAULT_FIRED");
    if (!number || !fired || atomic_fetch_add(&seen, 1) + 1 != atol(number)) return 0;
    int (*really)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    int told = really(fired, O_CREAT | O_WRONLY, 0600);
    if (told >= 0) close(told);
    errno = EIO;
    return 1;
}

static int is_file(const char *path) {
    const char *file = getenv("FAULT_FILE");
    return file && path && strcmp(path, file) == 0;
}

static int is_open_file(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_file(path);
}

#define FAIL_OPEN(name)                                                        \
    int name(const char *path, int flags, ...) {                               \
        va_list rest;                                                          \
        va_start(rest, flags);                                                 \
        int mode = va_arg(rest, int);                                          \
        va_end(rest);                                                          \
        int (*really)(const char *, int, ...) = dlsym(RTLD_NEXT, #name);       \
        if (is_file(path) && fails()) return -1;                               \
        return really(path, flags, mode);                                      \
    }
FAIL_OPEN(open)
FAIL_OPEN(open64)

ssize_t pread(int fd, void *to, size_t count, off_t at) {
    ssize_t (*really)(int, void *, size_t, off_t) = dlsym(RTLD_NEXT, "pread");
    return is_open_file(fd) && fails() ? -1 : really(fd, to, count, at);
}
ssize_t pread64(int fd, void *to, size_t count, off64_t at) {
    ssize_t (*really)(int, void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pread64");
    return is_open_file(fd) && fails() ? -1 : really(fd, to, count, at);
}
ssize_t read(int fd, void *to, size_t count) {
    ssize_t (*really)(int, void *, size_t) = dlsym(RTLD_NEXT, "read");
    return is_open_file(fd) && fails() ? -1 : really(fd, to, count);
}
int fstat(int fd, struct stat *to) {
    int (*really)(int, struct stat *) = dlsym(RTLD_NEXT, "fstat");
    return is_open_file(fd) && fails() ? -1 : really(fd, to);
}
int fstat64(int fd, struct stat64 *to) {
    int (*really)(int, struct stat64 *) = dlsym(RTLD_NEXT, "fstat64");
    return is_open_file(fd) && fails() ? -1 : really(fd, to);
}
