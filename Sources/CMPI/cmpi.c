#include "CMPI.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

// Open MPI's interface, as far as it is used: objects of which only the address matters, and numbers of mpi.h.
typedef void *Handle;
enum { SUCCESS = 0, FUNNELED = 1, LONGEST = 256, VERSION = 256 };

#define FUNCTIONS(X) \
    X(Init_thread, (int *, char ***, int, int *)) X(Initialized, (int *)) X(Finalize, (void)) \
    X(Comm_rank, (Handle, int *)) X(Comm_size, (Handle, int *)) X(Comm_set_errhandler, (Handle, Handle)) \
    X(Abort, (Handle, int)) X(Barrier, (Handle)) X(Bcast, (void *, int, Handle, int, Handle)) \
    X(Allgatherv, (const void *, int, Handle, void *, const int *, const int *, Handle, Handle)) \
    X(Scatterv, (const void *, const int *, const int *, Handle, void *, int, Handle, int, Handle)) \
    X(Error_string, (int, char *, int *)) X(Get_library_version, (char *, int *))

#define DECLARE(name, parameters) int (*name) parameters;
static struct { FUNCTIONS(DECLARE) } mpi;
static Handle world, byte_type, float_type, errors_return;
static const char *problem;
static char version[VERSION + 1];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
    // Its plug-ins look for the library's symbols in the process.
    void *library = dlopen("libmpi.so.40", RTLD_NOW | RTLD_GLOBAL);
    if (!library) {
        problem = "Open MPI is not installed (libmpi.so.40)";
        return;
    }
#define FIND(name, parameters) \
    if (!(*(void **)&mpi.name = dlsym(library, "MPI_" #name))) { problem = "libmpi.so.40 lacks MPI_" #name; return; }
    FUNCTIONS(FIND)
    world = dlsym(library, "ompi_mpi_comm_world");
    byte_type = dlsym(library, "ompi_mpi_byte");
    float_type = dlsym(library, "ompi_mpi_float");
    errors_return = dlsym(library, "ompi_mpi_errors_return");
    if (!world || !byte_type || !float_type || !errors_return) {
        problem = "libmpi.so.40 is not Open MPI's";
        return;
    }
    // The library's text may be longer than the 256 bytes that other versions had.
    static char text[8192];
    int length = 0;
    if (mpi.Get_library_version(text, &length) == SUCCESS) {
        char *end = text + strcspn(text, ",\n");
        *end = 0;
        snprintf(version, sizeof version, "%s", text);
    }
}

const char *cm_load(void) {
    pthread_once(&once, load);
    return problem;
}

const char *cm_version(void) { return version; }

static const char *said(int status) {
    static char text[LONGEST + 1];
    int length = 0;
    if (status == SUCCESS) return NULL;
    if (mpi.Error_string(status, text, &length) != SUCCESS) snprintf(text, sizeof text, "error %d", status);
    return text;
}

const char *cm_init(void) {
    int is_on = 0, provided = 0, status = mpi.Initialized(&is_on);
    if (status == SUCCESS && !is_on) status = mpi.Init_thread(NULL, NULL, FUNNELED, &provided);
    if (status == SUCCESS) status = mpi.Comm_set_errhandler(world, errors_return);
    return said(status);
}

const char *cm_finalize(void) { return said(mpi.Finalize()); }

const char *cm_rank(int *rank, int *size) {
    int status = mpi.Comm_rank(world, rank);
    if (status == SUCCESS) status = mpi.Comm_size(world, size);
    return said(status);
}

void cm_abort(int status) { mpi.Abort(world, status); }

const char *cm_barrier(void) { return said(mpi.Barrier(world)); }

const char *cm_broadcast(void *bytes, int count, int root) { return said(mpi.Bcast(bytes, count, byte_type, root, world)); }

const char *cm_gather_bytes(const void *bytes, int count, void *all, const int *counts, const int *starts) {
    return said(mpi.Allgatherv(bytes, count, byte_type, all, counts, starts, byte_type, world));
}

const char *cm_scatter_floats(const float *all, const int *counts, const int *starts, float *part, int count, int root) {
    return said(mpi.Scatterv(all, counts, starts, float_type, part, count, float_type, root, world));
}

const char *cm_gather_floats(const float *part, int count, float *all, const int *counts, const int *starts) {
    return said(mpi.Allgatherv(part, count, float_type, all, counts, starts, float_type, world));
}
