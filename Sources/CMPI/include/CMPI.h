#ifndef CMPI_H
#define CMPI_H

#include <stddef.h>

// What data-parallel training needs of MPI, from Open MPI's library, which is looked for when a run asks for it: neither its
// headers nor the library are needed to build or to run Attune otherwise. The binary interface is that of libmpi.so.40
// (Open MPI 4 and 5): handles are pointers to objects that the library exports.
//
// Every function but cm_load gives NULL, or what MPI says of the failure.

/// Finds the library. NULL, or why it cannot be used.
const char *cm_load(void);
/// The library and its version, in one line.
const char *cm_version(void);

const char *cm_init(void);
const char *cm_finalize(void);
const char *cm_rank(int *rank, int *size);
/// Ends all ranks.
void cm_abort(int status);

const char *cm_barrier(void);
const char *cm_broadcast(void *bytes, int count, int root);
/// What every rank sends, to every rank, one after the other in the order of the ranks.
const char *cm_gather_bytes(const void *bytes, int count, void *all, const int *counts, const int *starts);
/// Of `all` at `root`, to each rank its part.
const char *cm_scatter_floats(const float *all, const int *counts, const int *starts, float *part, int count, int root);
/// The parts of all ranks, to every rank, in `all`.
const char *cm_gather_floats(const float *part, int count, float *all, const int *counts, const int *starts);

#endif
