#include "sync.h"

#include <fcntl.h>
#include <unistd.h>

int ck_sync_file_system(int fd) {
#ifdef __linux__
    return syncfs(fd);
#else
    (void)fd;
    sync();
    return 0;
#endif
}

int ck_bypass_cache(int fd, int on) {
#if defined(O_DIRECT)
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -1 : fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT);
#elif defined(F_NOCACHE)
    return fcntl(fd, F_NOCACHE, on);
#else
    (void)fd;
    return on ? -1 : 0;
#endif
}
