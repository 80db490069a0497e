#ifndef CTORCH_H
#define CTORCH_H

#include <stddef.h>
#include <stdint.h>

// PyTorch's stable C ABI (torch/csrc/stable/c/shim.h, torch/csrc/inductor/aoti_torch/c/shim.h), found at run time: nothing of
// PyTorch is needed to build. Every function returns 0, or another number after a failure that ct_error tells of.

/// A tensor of PyTorch's. Whoever gets one from here frees it with ct_free.
typedef struct ct_tensor ct_tensor;

enum ct_status {
    CT_LOADED = 0,
    /// The library could not be opened; the message is the loader's.
    CT_NOT_OPENED = 1,
    /// It lacks a function; the message is its name.
    CT_LACKS = 2,
};

/// Opens libtorch_cpu.so, once. A second call with the same library changes nothing.
///
/// cuda: libtorch_cuda.so where the wheel has it, else NULL. It joins the dispatcher now or never: the first op on a processor
/// may fix that there is no CUDA.
int ct_open(const char *path, const char *cuda, char *message, size_t room);
/// Whether libtorch_cuda.so was opened, or what the loader says against it.
int ct_open_cuda(const char *path, char *message, size_t room);

/// As 2 << 56 | 15 << 48 | patch << 40.
uint64_t ct_version(void);
/// What went wrong last on this thread.
const char *ct_error(void);

enum ct_dtype { CT_FLOAT32, CT_FLOAT64, CT_FLOAT16, CT_BFLOAT16, CT_INT64, CT_OTHER };
enum ct_kind { CT_CPU, CT_CUDA };

// MARK: Tensors

/// Uninitialized, row-major.
int ct_empty(const int64_t *sizes, int64_t dimensions, int dtype, int kind, int index, ct_tensor **out);
/// The same with strides of one's own.
int ct_empty_strided(
    const int64_t *sizes, const int64_t *strides, int64_t dimensions, int dtype, int kind, int index, ct_tensor **out);
/// Memory of the host, row-major, which must outlive the tensor.
int ct_borrow(void *data, const int64_t *sizes, int64_t dimensions, int dtype, ct_tensor **out);
/// A number without dimensions on the host.
int ct_number(double value, ct_tensor **out);
int ct_copy(ct_tensor *to, ct_tensor *from);
int ct_zero(ct_tensor *tensor);
void ct_free(ct_tensor *tensor);

/// An enum ct_dtype.
int ct_dtype_of(ct_tensor *tensor);
int ct_is_contiguous(ct_tensor *tensor);
int64_t ct_dimensions(ct_tensor *tensor);
/// Borrowed; as many as there are dimensions.
const int64_t *ct_sizes(ct_tensor *tensor);

// MARK: Calls

// Arguments of ct_call. Those that hold memory are freed by the call.
uint64_t ct_argument_tensor(ct_tensor *tensor);
uint64_t ct_argument_number(double value);
uint64_t ct_argument_dtype(int dtype);
uint64_t ct_argument_text(const char *text);
uint64_t ct_argument_ints(const int64_t *values, size_t count);
uint64_t ct_argument_tensors(ct_tensor *const *tensors, size_t count);
/// A present optional argument. An absent one is 0.
uint64_t ct_argument_some(uint64_t value);

/// Calls an op of the dispatcher.
///
/// stack: its arguments, all of them; then its results.
int ct_call(const char *name, const char *overload, uint64_t *stack);
/// A result of a call as a tensor; NULL for one that is undefined.
ct_tensor *ct_result(uint64_t value);

/// a + factor·b, whose dispatcher form takes an argument that the stable ABI has no type for.
int ct_add(ct_tensor *a, ct_tensor *b, double factor, int kind, ct_tensor **out);

#endif
