/* Keeps a copy of each file as it was when it was last synced: what a power loss would leave of it.

   LD_PRELOAD this with SYNCED_ROOT (only files below it count) and SYNCED_COPIES (where copies go). A copy is
   taken before the sync and put in place after it, so that it never holds what was not on disk; syncs of one
   file wait for each other. A file that is open for reading is read through its own descriptor: to open and
   close it once more would drop the locks that SQLite has on it. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

typedef int (*sync_call)(int);

static void make_folders(const char *path) {
    char part[PATH_MAX];
    snprintf(part, sizeof part, "%s", path);
    for (char *at = part + 1; *at; at++)
        if (*at == '/') {
            *at = 0;
            mkdir(part, 0777);
            *at = '/';
        }
}

static int copy(int fd, const char *path, const char *to) {
    static __thread char buffer[1 << 16];
    int mode = fcntl(fd, F_GETFL) & O_ACCMODE, from = fd, done = -1;
    off_t at = 0;
    ssize_t got = 0;
    if (mode == O_WRONLY && (from = open(path, O_RDONLY | O_CLOEXEC)) < 0) return -1;
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (out >= 0) {
        while ((got = pread(from, buffer, sizeof buffer, at)) > 0) {
            if (write(out, buffer, got) != got) break;
            at += got;
        }
        close(out);
        done = got == 0 ? 0 : -1;
    }
    if (from != fd) close(from);
    return done;
}

static int synced(int fd, const char *name) {
    sync_call real = (sync_call)dlsym(RTLD_NEXT, name);
    const char *root = getenv("SYNCED_ROOT"), *copies = getenv("SYNCED_COPIES");
    char link[64], path[PATH_MAX] = "", kept[PATH_MAX * 2], fresh[PATH_MAX * 2 + 32], lock[PATH_MAX * 2 + 8];
    struct stat what;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0 || !root || !copies || strncmp(path, root, strlen(root)) || fstat(fd, &what) || !S_ISREG(what.st_mode))
        return real(fd);
    path[length] = 0;
    snprintf(kept, sizeof kept, "%s%s", copies, path + strlen(root));
    snprintf(fresh, sizeof fresh, "%s.fresh", kept);
    snprintf(lock, sizeof lock, "%s.lock", kept);
    make_folders(kept);
    int held = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (held >= 0) flock(held, LOCK_EX);
    int copied = copy(fd, path, fresh), answer = real(fd);
    if (!copied && !answer) rename(fresh, kept);
    if (held >= 0) close(held);
    return answer;
}

int fsync(int fd) { return synced(fd, "fsync"); }
int fdatasync(int fd) { return synced(fd, "fdatasync"); }
