// Vectorized float32 loops. Every function works on the range it is given; threading is up to the caller.
#pragma once
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// --- threads (parallel.c)
/// Calls body(context, i) for every i < count on all cores; returns when all are done. Nested calls run in place.
void ck_parallel(size_t count, void *_Nullable context, void (*body)(void *_Nullable context, size_t index));
/// Processors that this process may run on, by its affinity mask.
int ck_processors(void);
/// Threads used, the caller's included; 0 means one for each processor. Takes effect before the first ck_parallel only.
void ck_parallel_set_threads(int threads);
int ck_parallel_threads(void);
/// Whether the calling thread runs a body of a job, so that a job of its own would have this thread alone.
int ck_parallel_inside(void);

// Which of the pool's threads this is: 1 and up for its workers, 0 for all others.
int ck_parallel_number(void);

// --- instruction sets (level.c)
/// The widest of "x86-64-v4", "x86-64-v3" and "default" that the processor has.
const char *ck_processor_level(void);
/// The one that loops and products use: the processor's, or a lower one that ATTUNE_VECTOR_LEVEL names at the start.
const char *ck_vector_level(void);
/// Holds loops that the calling thread calls to a level, until it is called with null: for tests that compare levels.
/// Says whether the processor has that level. Products (ck_gemm) stay as they are.
int ck_hold_vector_level(const char *_Nullable level);

// --- element by element (elementwise.c): out may be the same as an input
void ck_add(const float *a, const float *b, float *out, size_t n);
void ck_subtract(const float *a, const float *b, float *out, size_t n);
void ck_multiply(const float *a, const float *b, float *out, size_t n);
void ck_divide(const float *a, const float *b, float *out, size_t n);
void ck_scale(const float *a, float s, float *out, size_t n);
void ck_add_scalar(const float *a, float s, float *out, size_t n);
void ck_mix(const float *a, float s, const float *b, float t, float *out, size_t n);   // s·a + t·b, each product rounded
void ck_square_root(const float *x, float *out, size_t n);                             // 0 for negative values; NaN stays NaN
void ck_clamp(const float *x, float low, float high, float *out, size_t n);            // NaN stays NaN
void ck_clamp_vjp(const float *x, const float *g, float low, float high, float *out, size_t n);
void ck_add_row(const float *x, const float *v, float *out, size_t rows, size_t n);    // out[r] = x[r] + v
void ck_sum_rows(const float *x, float *out, size_t rows, size_t n);                   // out = Σ_r x[r]
void ck_silu(const float *x, float *out, size_t n);
void ck_silu_vjp(const float *x, const float *g, float *out, size_t n);
void ck_gelu(const float *x, float *out, size_t n);                                    // x·Φ(x), exact
void ck_gelu_vjp(const float *x, const float *g, float *out, size_t n);
void ck_quick_gelu(const float *x, float *out, size_t n);                              // x·σ(1.702 x)
void ck_quick_gelu_vjp(const float *x, const float *g, float *out, size_t n);
void ck_geglu(const float *x, float *out, size_t rows, size_t n);                      // x [rows,2n]: value half, gate half
void ck_geglu_vjp(const float *x, const float *g, float *out, size_t rows, size_t n);
double ck_sum_of_squares(const float *x, size_t n);
double ck_squared_distance(const float *a, const float *b, size_t n);
/// Whether none of n values is NaN or infinite.
int ck_all_finite(const float *x, size_t n);

// --- 16-bit floats (halves.c)
void ck_widen_bfloat(const uint16_t *x, float *out, size_t n);
void ck_widen_half(const uint16_t *x, float *out, size_t n);
/// Whether nothing was lost.
int ck_narrow_bfloat(const float *x, uint16_t *out, size_t n);
int ck_narrow_half(const float *x, uint16_t *out, size_t n);

// --- normalization (normalize.c)
/// Per-channel sums of `rows` vectors of n values, added to sum and squares (double).
void ck_channel_moments(const float *x, size_t rows, size_t n, double *sum, double *squares);
/// out[r][c] = x[r][c]·scale[c] + shift[c], then SiLU where `silu`.
void ck_affine(const float *x, const float *scale, const float *shift, float *out, size_t rows, size_t n, int silu);
/// Per-channel sums over rows of g and g·x, where g is the gradient before the activation; writes that gradient to out.
void ck_affine_vjp_sums(const float *x, const float *g, const float *scale, const float *shift, float *out, size_t rows,
                        size_t n, int silu, double *sum_g, double *sum_gx);
/// out[r][c] = g[r][c]·a[c] + x[r][c]·b[c] + d[c]
void ck_affine_combine(const float *g, const float *x, const float *a, const float *b, const float *d, float *out,
                       size_t rows, size_t n);
void ck_layer_norm(const float *x, const float *scale, const float *shift, float eps, float *out, size_t rows, size_t n);
/// dx; adds to dscale, dshift (length n) unless they are null.
void ck_layer_norm_vjp(const float *x, const float *g, const float *scale, float eps, float *dx, float *_Nullable dscale,
                       float *_Nullable dshift, size_t rows, size_t n);
/// Softmax of s·x + mask by rows, in place or not; values at columns ≥ limit(r) are 0, limit = causal ? first+r+1 : n.
/// lse (may be null) receives the log of the sum of exponentials.
void ck_softmax(const float *x, float s, float *out, float *_Nullable lse, size_t rows, size_t n, size_t stride,
                int causal, size_t first);
/// Softmax by blocks of columns (Milakov & Gimelshein, arXiv 1805.02867): x becomes exp(s·x − top) for the highest
/// score so far; total sums them up, and where `first` is not set, it and out are scaled to the new top.
void ck_softmax_online(float *x, float s, float *top, float *total, float *out, size_t width, size_t out_stride, int first,
                       size_t rows, size_t n, size_t stride);
/// After the last block: out /= total, lse = top + log(total).
void ck_softmax_finish(const float *top, const float *total, float *out, size_t width, size_t out_stride,
                       float *_Nullable lse, size_t rows);
/// p = exp(s·x − lse): the probabilities again, from what the forward pass kept.
void ck_softmax_again(const float *x, float s, const float *lse, float *out, size_t rows, size_t n, size_t stride,
                      int causal, size_t first);
/// out = s·p·(g − dot) by rows, where dot is Σ g·p of the whole row.
void ck_softmax_vjp(const float *p, const float *g, const float *dots, float s, float *out, size_t rows, size_t n,
                    size_t stride);
/// out[r] = Σ a·b over the n values of rows that are `stride` apart.
void ck_row_products(const float *a, const float *b, float *out, size_t rows, size_t n, size_t stride);

// --- panels (panels.c): the layout of a right-hand side [k, n], strips of 32 columns (a last one of ≤ 16 is 16 wide)
/// Floats that a packed matrix [k, n] takes.
size_t ck_gemm_packed_size(size_t k, size_t n);
/// Packs panels [first, last) of b [k, n], or of b [n, k] where `transposed`.
void ck_gemm_pack(const float *b, size_t ldb, int transposed, size_t k, size_t n, size_t first, size_t last, float *out);
/// The columns of panels [first, last) as rows of out [n, k].
void ck_gemm_unpack(const float *packed, size_t k, size_t n, size_t first, size_t last, float *out);
/// Panels [first, last) of the transpose [n, k] of a packed [k, n].
void ck_gemm_transpose(const float *packed, size_t k, size_t n, size_t first, size_t last, float *out);
/// Rows of panels [inputs·taps, n] in the order of im2col: from (input, tap) to (tap, input).
void ck_gemm_reorder(const float *panels, size_t inputs, size_t taps, size_t n, size_t first, size_t last, float *out);
/// Scales each of the first `columns` columns of one panel [rows, width] to the length given for it; gain is by how
/// much.
void ck_panel_lengths(float *panel, size_t rows, size_t width, size_t columns, const float *lengths, float *gain);

// --- matrix products (gemm.c)
/// Whether ck_gemm runs here; otherwise it must not be called.
int ck_gemm_supported(void);
/// Columns of panels [first, last) of c [m, n] = a·b (+ bias by columns, or + c where `accumulate`); a is [m, k], or
/// [k, m] where `transposed`; b is panels, or where `ldb` is not 0 the matrix itself with rows that far apart and n a
/// multiple of 16. Every value is summed in the order of k, in blocks that depend on k alone.
void ck_gemm(size_t m, size_t k, const float *a, size_t lda, int transposed, const float *b, size_t ldb, size_t n,
             size_t first, size_t last, const float *_Nullable bias, int accumulate, float *c, size_t ldc);

// --- pairs of brain floats (pair_panels.c): panels as above, where each 32 bits hold two rows' values
/// Pairs that a packed matrix [k, n] takes.
size_t ck_pair_panels_size(size_t k, size_t n);
/// Rounds and packs panels [first, last) of b [k, n], or of b [n, k] where `transposed`.
void ck_pair_pack(const float *b, size_t ldb, int transposed, size_t k, size_t n, size_t first, size_t last, uint32_t *out);
/// The columns of panels [first, last) as rows of out [n, k].
void ck_pair_unpack(const uint32_t *packed, size_t k, size_t n, size_t first, size_t last, float *out);
/// One panel, 32 or 16 wide, of the transpose [n, k] of a packed [k, n]: its columns are rows [row, row+width), even.
void ck_pair_transpose(const uint32_t *packed, size_t k, size_t n, size_t row, size_t width, uint32_t *out);

// --- products of brain floats with sums in float32 (pair_gemm.c, amx.c, pair_unit.c)
/// What multiplies them: float32 instructions after splitting pairs, AVX-512's vdpbf16ps, AMX's tdpbf16ps.
enum ck_pair_unit { CK_PAIRS_PLAIN, CK_PAIRS_AVX512, CK_PAIRS_AMX };
/// The best that the processor and the vector level allow, or a lower one that ATTUNE_BFLOAT16_UNIT names at the start.
enum ck_pair_unit ck_pair_unit(void);
/// Its name: "float32", "avx512_bf16" or "amx_bf16".
const char *ck_pair_unit_name(void);
/// The choice, for tests: by vector level (2 is AVX-512), what the processor has, and whether the system grants tiles.
int ck_pair_unit_of(int level, int has_pairs, int has_tiles, int tiles_granted);
/// Holds products that the calling thread computes to a unit, until it is called with null. Says whether there is one.
int ck_hold_pair_unit(const char *_Nullable name);
/// How the left-hand side lies: float32 [m, k], float32 [k, m], or pairs [m, k/2], the last one filled up with 0.
enum ck_pair_left { CK_LEFT_FLOATS, CK_LEFT_TRANSPOSED, CK_LEFT_PAIRS };
/// As ck_gemm, for panels of pairs. `lda` is in values, or in pairs.
void ck_pair_gemm(size_t m, size_t k, const void *a, size_t lda, enum ck_pair_left left, const uint32_t *b, size_t n,
                  size_t first, size_t last, const float *_Nullable bias, int accumulate, float *c, size_t ldc);
/// Rounds a [rows, k], or [k, rows] where `transposed`, to rows of pairs that are `stride` apart.
void ck_pair_rows(const float *a, size_t lda, int transposed, size_t rows, size_t k, uint32_t *out, size_t stride);
/// ck_softmax_online for such a product: the probabilities go to rows of pairs, the last one filled up with 0, which take
/// (n + 15)/16·8 words (pair_softmax.c).
void ck_pair_softmax(const float *x, float s, float *top, float *total, uint32_t *p, size_t p_stride, float *out,
                     size_t width, size_t out_stride, int first, size_t rows, size_t n, size_t stride);
/// The loop over AMX's tiles with tiles in software, for tests.
void ck_amx_columns_in_software(int vectors, size_t m, size_t pairs, const uint32_t *a, size_t stride,
                                const uint32_t *panel, const float *_Nullable start, size_t start_stride, float *c,
                                size_t ldc);

// --- convolution (convolution.c)
/// Rows of the im2col matrix: output pixels [first, first+count) of one image [H,W,C] → out[count][kh·kw·C].
void ck_im2col(const float *x, float *out, size_t first, size_t count, int H, int W, int C, int outW, int kh, int kw,
               int stride, int top, int left);
/// The transpose: adds rows of the im2col matrix back into one image.
void ck_col2im(const float *columns, float *x, size_t first, size_t count, int H, int W, int C, int outW, int kh, int kw,
               int stride, int top, int left);
void ck_upsample2x(const float *x, float *out, size_t rows, int W, int C);             // rows = input rows of pixels
void ck_upsample2x_vjp(const float *g, float *out, size_t rows, int W, int C);

// --- Winograd F(4×4, 3×3) (winograd.c): C a multiple of 16
/// One 6×6 window whose corner is (y0, x0), transformed to 36 planes.
void ck_winograd_input(const float *x, int H, int W, int C, int y0, int x0, float *out, size_t plane);
/// 36 planes back to a 4×4 block of outputs at (y0, x0) in `channels` of the C channels of y, plus bias (may be null).
void ck_winograd_output(const float *in, size_t plane, int H, int W, int C, int channels, int y0, int x0,
                        const float *_Nullable bias, float *y);
/// `rows` input channels of one panel of a kernel, [rows][9][width] → 36 planes [rows][width].
void ck_winograd_kernel(const float *panel, size_t width, size_t rows, float *out, size_t plane);
/// The same for the kernel of the backward pass, rotated by 180° with in and out exchanged: columns [column,
/// column+width) are input channels, rows [first, first+rows) output channels, in multiples of 16.
void ck_winograd_rotated_kernel(const float *panels, size_t in, size_t outputs, size_t column, size_t width, size_t first,
                               size_t rows, float *out, size_t plane);

// --- the weight gradient of Winograd F(4×4, 3×3) (winograd_gradient.c): C and channels multiples of 16
/// A 4×4 block of the output's gradient at (y0, x0), `channels` of the C channels of dy, transformed to 36 planes.
void ck_winograd_gradient(const float *dy, int H, int W, int C, int channels, int y0, int x0, float *out, size_t plane);
/// 36 planes [in][outputs] of sums over tiles → the kernel's gradient [outputs][in][9], for 16 inputs from `first`.
void ck_winograd_kernel_gradient(const float *sums, size_t plane, size_t in, size_t outputs, size_t first, float *out);

// --- Winograd F(2×2, 3×3) with products of brain floats (pair_winograd.c): C a multiple of 16
/// One 4×4 window whose corner is (y0, x0), transformed and rounded to 16 planes; `plane` is in pairs.
void ck_pair_winograd_input(const float *x, int H, int W, int C, int y0, int x0, uint32_t *out, size_t plane);
/// 16 planes back to a 2×2 block of outputs, as ck_winograd_output.
void ck_pair_winograd_output(const float *in, size_t plane, int H, int W, int C, int channels, int y0, int x0,
                             const float *_Nullable bias, float *y);
/// `rows` rows of pairs of one panel of a kernel, whose nine taps lie `tap` pairs apart (rotated by 180° where `rotated`),
/// → 16 planes [rows][width].
void ck_pair_winograd_kernel(const uint32_t *panel, size_t tap, size_t width, size_t rows, int rotated, uint32_t *out,
                             size_t plane);

// --- optimizer (adamw.c)
/// AdamW as torch.optim.AdamW: decoupled decay, bias corrections given.
void ck_adamw(const float *w, const float *g, const float *m, const float *v, float *new_w, float *new_m, float *new_v,
              size_t n, float gscale, float lr, float beta1, float beta2, float eps, float decay, float correction1,
              float correction2);

// --- low-rank adapters (adapters.c)
void ck_scale_columns(const float *x, const float *gain, const float *_Nullable bias, float *out, size_t rows,
                      size_t n);                                                       // out = x·gain + bias by columns
/// For n columns of arrays that are `stride` wide: dx = g·gain, products[c] = Σ_rows g·x.
void ck_scale_columns_vjp(const float *g, const float *x, const float *gain, float *dx, float *products, size_t rows,
                          size_t n, size_t stride);
/// For n columns of arrays that are `stride` wide: out[c] = Σ_rows g·(y − shift[c]).
void ck_column_dots(const float *g, const float *y, const float *_Nullable shift, float *out, size_t rows, size_t n,
                    size_t stride);
void ck_row_dots(const float *a, const float *b, float *out, size_t rows, size_t n);   // out[r] = Σ_c a·b

// --- random numbers (random.c)
typedef struct { uint32_t state[624]; uint32_t position; } ck_mt19937;
void ck_mt19937_seed(ck_mt19937 *g, uint32_t seed);
uint32_t ck_mt19937_next(ck_mt19937 *g);
/// torch.randn on a CPU, n ≥ 16.
void ck_torch_normal(ck_mt19937 *g, float *out, size_t n);
/// Philox4x32-10 (Salmon et al. 2011).
void ck_philox(uint64_t seed, uint64_t stream, uint64_t block, uint32_t out[_Nonnull 4]);

#pragma clang assume_nonnull end
