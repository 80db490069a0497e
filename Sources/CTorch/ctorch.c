#include "ctorch.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void *handle;

// The functions that are used, by the names that PyTorch exports. All are there since 2.10 but the last group.
static struct {
    uint64_t (*aoti_torch_abi_version)(void);
    int (*torch_call_dispatcher)(const char *, const char *, uint64_t *, uint64_t);
    int (*torch_new_list_reserve_size)(size_t, void **);
    int (*torch_list_push_back)(void *, uint64_t);
    int (*torch_new_string_handle)(const char *, size_t, void **);
    int (*aoti_torch_create_tensor_from_blob)(
        void *, int64_t, const int64_t *, const int64_t *, int64_t, int32_t, int32_t, int32_t, handle *);
    int (*aoti_torch_empty_strided)(
        int64_t, const int64_t *, const int64_t *, int32_t, int32_t, int32_t, handle *);
    int (*aoti_torch_scalar_to_tensor_float64)(double, handle *);
    int (*aoti_torch_new_tensor_handle)(handle, handle *);
    int (*aoti_torch_delete_tensor_object)(handle);
    int (*aoti_torch_copy_)(handle, handle, int32_t);
    int (*aoti_torch_zero_)(handle);
    int (*aoti_torch_get_dtype)(handle, int32_t *);
    int (*aoti_torch_get_dim)(handle, int64_t *);
    int (*aoti_torch_get_sizes)(handle, int64_t **);
    int (*aoti_torch_is_contiguous)(handle, bool *);
    int (*aoti_torch_is_defined)(handle, bool *);
    int32_t (*aoti_torch_dtype_float32)(void);
    int32_t (*aoti_torch_dtype_float64)(void);
    int32_t (*aoti_torch_dtype_float16)(void);
    int32_t (*aoti_torch_dtype_bfloat16)(void);
    int32_t (*aoti_torch_dtype_int64)(void);
    int32_t (*aoti_torch_device_type_cpu)(void);
    int32_t (*aoti_torch_device_type_cuda)(void);
    int (*aoti_torch_cpu_add_Tensor)(handle, handle, double, handle *);
} torch;

// Since 2.13, or of libtorch_cuda.so.
static const char *(*exception_text)(void);
static int (*new_value)(uint64_t **);
static int (*cuda_add)(handle, handle, double, handle *);

static int32_t dtypes[CT_OTHER];
static int32_t kinds[2];
static uint64_t build_version;
static void *library;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// The newest version that this file was written against: argument layouts are those of it.
#define WRITTEN_FOR ((2ULL << 56) | (15ULL << 48))

static int refuse(int status, char *message, size_t room, const char *text) {
    snprintf(message, room, "%s", text ? text : "");
    return status;
}

// PyTorch exports BLAS functions of its own, which must not meet those of the OpenBLAS that the process is linked with.
static void *open_library(const char *path) { return dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND); }

static int resolve(void *from, char *message, size_t room) {
#define FIND(name)                                                                       \
    do {                                                                                 \
        torch.name = (__typeof__(torch.name))dlsym(from, #name);                         \
        if (!torch.name) return refuse(CT_LACKS, message, room, #name);                  \
    } while (0)
    FIND(aoti_torch_abi_version);
    FIND(torch_call_dispatcher);
    FIND(torch_new_list_reserve_size);
    FIND(torch_list_push_back);
    FIND(torch_new_string_handle);
    FIND(aoti_torch_create_tensor_from_blob);
    FIND(aoti_torch_empty_strided);
    FIND(aoti_torch_scalar_to_tensor_float64);
    FIND(aoti_torch_new_tensor_handle);
    FIND(aoti_torch_delete_tensor_object);
    FIND(aoti_torch_copy_);
    FIND(aoti_torch_zero_);
    FIND(aoti_torch_get_dtype);
    FIND(aoti_torch_get_dim);
    FIND(aoti_torch_get_sizes);
    FIND(aoti_torch_is_contiguous);
    FIND(aoti_torch_is_defined);
    FIND(aoti_torch_dtype_float32);
    FIND(aoti_torch_dtype_float64);
    FIND(aoti_torch_dtype_float16);
    FIND(aoti_torch_dtype_bfloat16);
    FIND(aoti_torch_dtype_int64);
    FIND(aoti_torch_device_type_cpu);
    FIND(aoti_torch_device_type_cuda);
    FIND(aoti_torch_cpu_add_Tensor);
#undef FIND
    exception_text = (const char *(*)(void))dlsym(from, "torch_exception_get_what_without_backtrace");
    new_value = (int (*)(uint64_t **))dlsym(from, "torch_new_stable_ivalue");
    dtypes[CT_FLOAT32] = torch.aoti_torch_dtype_float32();
    dtypes[CT_FLOAT64] = torch.aoti_torch_dtype_float64();
    dtypes[CT_FLOAT16] = torch.aoti_torch_dtype_float16();
    dtypes[CT_BFLOAT16] = torch.aoti_torch_dtype_bfloat16();
    dtypes[CT_INT64] = torch.aoti_torch_dtype_int64();
    kinds[CT_CPU] = torch.aoti_torch_device_type_cpu();
    kinds[CT_CUDA] = torch.aoti_torch_device_type_cuda();
    uint64_t version = torch.aoti_torch_abi_version();
    build_version = version < WRITTEN_FOR ? version : WRITTEN_FOR;
    return CT_LOADED;
}

static int open_cuda(const char *path, char *message, size_t room) {
    if (cuda_add) return CT_LOADED;
    void *opened = open_library(path);
    if (!opened) return refuse(CT_NOT_OPENED, message, room, dlerror());
    cuda_add = (int (*)(handle, handle, double, handle *))dlsym(opened, "aoti_torch_cuda_add_Tensor");
    return cuda_add ? CT_LOADED : refuse(CT_LACKS, message, room, "aoti_torch_cuda_add_Tensor");
}

int ct_open(const char *path, const char *cuda, char *message, size_t room) {
    pthread_mutex_lock(&lock);
    int status = CT_LOADED;
    if (!library) {
        void *opened = open_library(path);
        if (!opened) {
            status = refuse(CT_NOT_OPENED, message, room, dlerror());
        } else {
            status = resolve(opened, message, room);
            if (status == CT_LOADED) library = opened;
        }
        // Before the first op: PyTorch looks for CUDA once, and what comes later it does not find. Where it cannot be loaded,
        // ct_open_cuda says so to whoever asks for it.
        char ignored[8];
        if (status == CT_LOADED && cuda) open_cuda(cuda, ignored, sizeof ignored);
    }
    pthread_mutex_unlock(&lock);
    return status;
}

int ct_open_cuda(const char *path, char *message, size_t room) {
    pthread_mutex_lock(&lock);
    int status = open_cuda(path, message, room);
    pthread_mutex_unlock(&lock);
    return status;
}

uint64_t ct_version(void) { return torch.aoti_torch_abi_version ? torch.aoti_torch_abi_version() : 0; }

const char *ct_error(void) {
    const char *text = exception_text ? exception_text() : NULL;
    return text && *text ? text : "PyTorch before 2.13 does not hand on why; its message is above";
}

// MARK: Tensors

int ct_empty_strided(
    const int64_t *sizes, const int64_t *strides, int64_t dimensions, int dtype, int kind, int index,
    ct_tensor **out) {
    return torch.aoti_torch_empty_strided(
        dimensions, sizes, strides, dtypes[dtype], kinds[kind], kind == CT_CPU ? 0 : index, (handle *)out);
}

enum { MOST_DIMENSIONS = 16 };

static int row_major(const int64_t *sizes, int64_t dimensions, int64_t *strides) {
    if (dimensions > MOST_DIMENSIONS) return 1;
    int64_t step = 1;
    for (int64_t d = dimensions - 1; d >= 0; d--) {
        strides[d] = step;
        step *= sizes[d] > 0 ? sizes[d] : 1;
    }
    return 0;
}

int ct_empty(const int64_t *sizes, int64_t dimensions, int dtype, int kind, int index, ct_tensor **out) {
    int64_t strides[MOST_DIMENSIONS];
    if (row_major(sizes, dimensions, strides)) return 1;
    return ct_empty_strided(sizes, strides, dimensions, dtype, kind, index, out);
}

int ct_borrow(void *data, const int64_t *sizes, int64_t dimensions, int dtype, ct_tensor **out) {
    int64_t strides[MOST_DIMENSIONS];
    if (row_major(sizes, dimensions, strides)) return 1;
    return torch.aoti_torch_create_tensor_from_blob(
        data, dimensions, sizes, strides, 0, dtypes[dtype], kinds[CT_CPU], 0, (handle *)out);
}

int ct_number(double value, ct_tensor **out) { return torch.aoti_torch_scalar_to_tensor_float64(value, (handle *)out); }
int ct_copy(ct_tensor *to, ct_tensor *from) { return torch.aoti_torch_copy_(to, from, 0); }
int ct_zero(ct_tensor *tensor) { return torch.aoti_torch_zero_(tensor); }
void ct_free(ct_tensor *tensor) { torch.aoti_torch_delete_tensor_object(tensor); }

int ct_dtype_of(ct_tensor *tensor) {
    int32_t dtype = -1;
    torch.aoti_torch_get_dtype(tensor, &dtype);
    for (int i = 0; i < CT_OTHER; i++)
        if (dtypes[i] == dtype) return i;
    return CT_OTHER;
}

int ct_is_contiguous(ct_tensor *tensor) {
    bool is = false;
    return torch.aoti_torch_is_contiguous(tensor, &is) == 0 && is;
}

int64_t ct_dimensions(ct_tensor *tensor) {
    int64_t count = 0;
    torch.aoti_torch_get_dim(tensor, &count);
    return count;
}

const int64_t *ct_sizes(ct_tensor *tensor) {
    int64_t *sizes = NULL;
    torch.aoti_torch_get_sizes(tensor, &sizes);
    return sizes;
}

// MARK: Calls

static uint64_t word(const void *pointer) { return (uint64_t)(uintptr_t)pointer; }

uint64_t ct_argument_tensor(ct_tensor *tensor) {
    // The call takes the handle over, and the caller keeps its own.
    handle copy = NULL;
    torch.aoti_torch_new_tensor_handle(tensor, &copy);
    return word(copy);
}

uint64_t ct_argument_number(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

uint64_t ct_argument_dtype(int dtype) { return (uint64_t)dtypes[dtype]; }

uint64_t ct_argument_text(const char *text) {
    void *made = NULL;
    torch.torch_new_string_handle(text, strlen(text), &made);
    return word(made);
}

uint64_t ct_argument_ints(const int64_t *values, size_t count) {
    void *list = NULL;
    torch.torch_new_list_reserve_size(count, &list);
    for (size_t i = 0; i < count; i++) torch.torch_list_push_back(list, (uint64_t)values[i]);
    return word(list);
}

uint64_t ct_argument_tensors(ct_tensor *const *tensors, size_t count) {
    void *list = NULL;
    torch.torch_new_list_reserve_size(count, &list);
    for (size_t i = 0; i < count; i++) torch.torch_list_push_back(list, ct_argument_tensor(tensors[i]));
    return word(list);
}

uint64_t ct_argument_some(uint64_t value) {
    uint64_t *place = NULL;
    if (new_value) {
        new_value(&place);
    } else {
        // What `new uint64_t` of the same C library gives, and `delete` takes.
        place = malloc(sizeof *place);
    }
    if (!place) abort();
    *place = value;
    return word(place);
}

int ct_call(const char *name, const char *overload, uint64_t *stack) {
    return torch.torch_call_dispatcher(name, overload, stack, build_version);
}

ct_tensor *ct_result(uint64_t value) {
    handle tensor = (handle)(uintptr_t)value;
    bool is = false;
    if (!tensor) return NULL;
    if (torch.aoti_torch_is_defined(tensor, &is) == 0 && is) return (ct_tensor *)tensor;
    torch.aoti_torch_delete_tensor_object(tensor);
    return NULL;
}

int ct_add(ct_tensor *a, ct_tensor *b, double factor, int kind, ct_tensor **out) {
    int (*add)(handle, handle, double, handle *) = kind == CT_CUDA ? cuda_add : torch.aoti_torch_cpu_add_Tensor;
    return add(a, b, factor, (handle *)out);
}
