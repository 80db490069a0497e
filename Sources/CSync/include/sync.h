// What an operating system knows of files beyond POSIX, which Swift's import of its C library does not show.
#pragma once

// Waits until everything that was written to the file system of an open file is on its disk. Returns 0, or -1 and errno.
int ck_sync_file_system(int fd);

// Turns writing past the page cache on or off. Returns 0 where the file system can.
int ck_bypass_cache(int fd, int on);
