// glibc shows syncfs only to those who ask for GNU extensions, which Swift's import of it does not.
#pragma once
#include <unistd.h>

#ifdef __linux__
extern int syncfs(int fd);
static inline int ck_sync_file_system(int fd) { return syncfs(fd); }
#else
static inline int ck_sync_file_system(int fd) { (void)fd; sync(); return 0; }
#endif
