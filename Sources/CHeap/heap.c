#include "heap.h"

#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>

// A user's own setting stands.
void ch_limit_arenas(int most) {
    if (!getenv("MALLOC_ARENA_MAX")) mallopt(M_ARENA_MAX, most);
}

void ch_trim(void) { malloc_trim(0); }
#else
void ch_limit_arenas(int most) { (void)most; }

void ch_trim(void) {}
#endif
