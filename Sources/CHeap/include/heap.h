// What the GNU C library is told of memory; others do nothing.
#pragma once

// Bounds the areas that threads allocate from: each keeps what its threads have freed. Before other threads start.
void ch_limit_arenas(int most);

// Gives freed memory back to the operating system.
void ch_trim(void);
