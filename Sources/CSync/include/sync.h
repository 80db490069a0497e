// What an operating system knows of files beyond POSIX, which Swift's import of its C library does not show.
#pragma once

// Waits until everything that was written to the file system of an open file is on its disk. Returns 0, or -1 and errno.
int ck_sync_file_system(int fd);

// Turns writing past the page cache on or off. Returns 0 where the file system can.
int ck_bypass_cache(int fd, int on);

// Raises the number of files that this process may have open as far as it may, at most to `wanted`. Returns the limit.
long ck_raise_file_limit(long wanted);

// Whether this process may write to a file or folder. Returns 0, or an error number.
int ck_write_problem(const char *path);

// Has a network file system ask its server for what it knows of a path, in place of remembering it; others do nothing.
void ck_refresh(const char *path);
