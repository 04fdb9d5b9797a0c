// Everything between the matrix products of LSTM and HyperLSTM steps, forward and backward in time.
//
// A step is a matrix product for all samples, and then work on each number of a sample's gates. PyTorch does the second
// in some twenty passes over memory; here it is one or two. Plain C functions on plain memory: this file needs no header
// of PyTorch, and what is compiled from it works with every version.
//
// T is the type of states, parameters and gradients, P that of what goes into matrix products and comes out of them. Rows
// are samples: of 4 gates (i, g, f, o) times `size` numbers. A pointer to pointers has one entry a step, and c and
// hyper_h one more for what was before the first.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

// Compilers that know of the C library's vector functions may call them.
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__)
#if __GLIBC_PREREQ(2, 35)
extern "C" {
__attribute__((__simd__("notinbranch"))) float expf(float) noexcept;
__attribute__((__simd__("notinbranch"))) double exp(double) noexcept;
__attribute__((__simd__("notinbranch"))) float tanhf(float) noexcept;
__attribute__((__simd__("notinbranch"))) double tanh(double) noexcept;
}
#endif
#endif

namespace {

using Index = std::int64_t;

struct Bf16 {
    std::uint16_t bits;
};

inline float up(float x) { return x; }
inline double up(double x) { return x; }
inline float up(Bf16 x) {
    std::uint32_t bits = std::uint32_t(x.bits) << 16;
    float y;
    std::memcpy(&y, &bits, sizeof y);
    return y;
}

inline void put(float& to, float x) { to = x; }
inline void put(double& to, double x) { to = x; }
inline void put(Bf16& to, float x) {  // to the nearest, of two equally near ones to the even one
    std::uint32_t bits;
    std::memcpy(&bits, &x, sizeof x);
    bits = x == x ? (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16 : 0x7fc0u;
    to.bits = std::uint16_t(bits);
}

inline float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }
inline double sigmoid(double x) { return 1.0 / (1.0 + exp(-x)); }
inline float hyperbolic_tangent(float x) { return tanhf(x); }
inline double hyperbolic_tangent(double x) { return tanh(x); }

// The gates of one LSTM, without its matrix products: `gates.update`.
template <class T>
struct Cell {
    Index batch, size;
    T **gates;  // i, tanh(g), f, o: (batch, 4, size)
    T **c;      // (batch, size)
    T **shown;  // the tanh in h: (batch, size)
    // Of layer norm, or null: what is normalised and 1 / its deviation, for the gates and for c.
    T **values, **scale;      // (batch, 4, size), (batch, 4)
    T **c_values, **c_scale;  // (batch, size), (batch,)
    const T *gain, *offset;      // (4, size)
    const T *c_gain, *c_offset;  // (size,)
    const T *mask;  // of recurrent dropout, or null: (steps, batch, size)
    // Of the backward pass.
    T *grad_c;                        // of c after the step, then of c before it: (batch, size)
    T *grad_gain, *grad_offset;       // sums over samples and steps
    T *grad_c_gain, *grad_c_offset;
    double epsilon;
};

// y = gain * normalised(x) + offset; y may be x.
template <class T>
void normalise(const T* x, T* values, T* scale, const T* gain, const T* offset, T* y, Index n, double epsilon) {
    T mean = 0;
#pragma GCC ivdep
    for (Index j = 0; j < n; ++j) mean += x[j];
    mean /= T(n);
    T variance = 0;
#pragma GCC ivdep
    for (Index j = 0; j < n; ++j) variance += (x[j] - mean) * (x[j] - mean);
    const T inverse = T(1) / std::sqrt(variance / T(n) + T(epsilon));
    *scale = inverse;
#pragma GCC ivdep
    for (Index j = 0; j < n; ++j) {
        const T value = (x[j] - mean) * inverse;
        values[j] = value;
        y[j] = gain[j] * value + offset[j];
    }
}

// The gradient of y becomes that of x.
template <class T>
void normalise_backward(T* __restrict grad, const T* __restrict values, T scale, const T* __restrict gain,
                        T* __restrict grad_gain, T* __restrict grad_offset, Index n) {
    T mean = 0, along = 0;
#pragma GCC ivdep
    for (Index j = 0; j < n; ++j) {
        const T g = grad[j];
        grad_gain[j] += g * values[j];
        grad_offset[j] += g;
        const T inner = g * gain[j];
        mean += inner;
        along += inner * values[j];
        grad[j] = inner;
    }
    mean /= T(n);
    along /= T(n);
#pragma GCC ivdep
    for (Index j = 0; j < n; ++j) grad[j] = scale * (grad[j] - mean - values[j] * along);
}

// Write h, (size,), of sample b. sums: of its four gates, (4, size); they are lost.
template <class T>
void update(const Cell<T>& cell, Index t, Index b, T* __restrict sums, T* __restrict h) {
    const Index n = cell.size, row = n * b;
    if (cell.gain)
        for (Index y = 0; y < 4; ++y)
            normalise(sums + y * n, cell.values[t] + 4 * row + y * n, cell.scale[t] + 4 * b + y, cell.gain + y * n,
                      cell.offset + y * n, sums + y * n, n, cell.epsilon);
    T* __restrict gates = cell.gates[t] + 4 * row;
    const T* before = cell.c[t] + row;
    T* after = cell.c[t + 1] + row;  // where nothing is kept, it is `before`
    T* __restrict shown = cell.shown[t] + row;
    const T* __restrict mask = cell.mask ? cell.mask + (t * cell.batch) * n + row : nullptr;
#pragma GCC ivdep
    for (Index j = 0; j < n; ++j) gates[j] = sigmoid(sums[j]);
#pragma GCC ivdep
    for (Index j = 0; j < n; ++j) gates[n + j] = hyperbolic_tangent(sums[n + j]);
#pragma GCC ivdep
    for (Index j = 2 * n; j < 4 * n; ++j) gates[j] = sigmoid(sums[j]);
    if (mask) {
#pragma GCC ivdep
        for (Index j = 0; j < n; ++j) after[j] = gates[2 * n + j] * before[j] + gates[j] * gates[n + j] * mask[j];
    } else {
#pragma GCC ivdep
        for (Index j = 0; j < n; ++j) after[j] = gates[2 * n + j] * before[j] + gates[j] * gates[n + j];
    }
    const T* seen = after;
    if (cell.gain) {
        normalise(after, cell.c_values[t] + row, cell.c_scale[t] + b, cell.c_gain, cell.c_offset, sums, n, cell.epsilon);
        seen = sums;
    }
#pragma GCC ivdep
    for (Index j = 0; j < n; ++j) {
        const T tangent = hyperbolic_tangent(seen[j]);
        shown[j] = tangent;
        h[j] = gates[3 * n + j] * tangent;
    }
}

// Write the gradient of the sums of sample b, (4, size). grad_h: (size,), is lost.
template <class T>
void update_backward(const Cell<T>& cell, Index t, Index b, T* __restrict grad_h, T* __restrict grad_sums) {
    const Index n = cell.size, row = n * b;
    const T* __restrict gates = cell.gates[t] + 4 * row;
    const T* __restrict before = cell.c[t] + row;
    const T* __restrict shown = cell.shown[t] + row;
    const T* __restrict mask = cell.mask ? cell.mask + (t * cell.batch) * n + row : nullptr;
    T* __restrict grad_c = cell.grad_c + row;
#pragma GCC ivdep
    for (Index j = 0; j < n; ++j) {
        const T o = gates[3 * n + j];
        grad_sums[3 * n + j] = grad_h[j] * shown[j] * o * (T(1) - o);
        grad_h[j] *= o * (T(1) - shown[j] * shown[j]);
    }
    if (cell.gain)
        normalise_backward(grad_h, cell.c_values[t] + row, cell.c_scale[t][b], cell.c_gain, cell.grad_c_gain,
                           cell.grad_c_offset, n);
#pragma GCC ivdep
    for (Index j = 0; j < n; ++j) {
        const T grad = grad_c[j] + grad_h[j], i = gates[j], g = gates[n + j], f = gates[2 * n + j];
        const T kept = mask ? grad * mask[j] : grad;
        grad_sums[j] = kept * g * i * (T(1) - i);
        grad_sums[n + j] = kept * i * (T(1) - g * g);
        grad_sums[2 * n + j] = grad * before[j] * f * (T(1) - f);
        grad_c[j] = grad * f;
    }
    if (cell.gain)
        for (Index y = 0; y < 4; ++y)
            normalise_backward(grad_sums + y * n, cell.values[t] + 4 * row + y * n, cell.scale[t][4 * b + y],
                               cell.gain + y * n, cell.grad_gain + y * n, cell.grad_offset + y * n, n);
}

// An LSTM over a window.
template <class T, class P>
struct Lstm {
    const Cell<T>* cell;
    const T* of_x;  // what x adds to the gates: (steps, batch, 4 size)
    T* outputs;     // (steps, batch, size)
    P* narrow;      // h for the next product, (batch, size), or null where that is `outputs`
    const T* grad_outputs;  // (steps, batch, size), or null
    T* grad_of_x;           // (steps, batch, 4 size)
    P* grad_products;       // of W_h h, (steps, batch, 4 size), or null where that is `grad_of_x`
    T* scratch;             // (5 size,)
};

template <class T, class P>
void lstm_forward(const Lstm<T, P>& lstm, Index t, const P* products) {
    const Cell<T>& cell = *lstm.cell;
    const Index n = cell.size;
    T* __restrict sums = lstm.scratch;
    for (Index b = 0; b < cell.batch; ++b) {
        const P* __restrict product = products + 4 * n * b;
        const T* __restrict of_x = lstm.of_x + 4 * n * (t * cell.batch + b);
#pragma GCC ivdep
        for (Index j = 0; j < 4 * n; ++j) sums[j] = of_x[j] + up(product[j]);
        T* __restrict h = lstm.outputs + n * (t * cell.batch + b);
        update(cell, t, b, sums, h);
        if (lstm.narrow) {
            P* __restrict narrow = lstm.narrow + n * b;
#pragma GCC ivdep
            for (Index j = 0; j < n; ++j) put(narrow[j], h[j]);
        }
    }
}

// grad_h: of h after step t, from later steps, (batch, size).
template <class T, class P>
void lstm_backward(const Lstm<T, P>& lstm, Index t, const P* grad_h) {
    const Cell<T>& cell = *lstm.cell;
    const Index n = cell.size;
    T* __restrict total = lstm.scratch;
    for (Index b = 0; b < cell.batch; ++b) {
        const Index row = t * cell.batch + b;
        const P* __restrict later = grad_h + n * b;
        const T* __restrict now = lstm.grad_outputs ? lstm.grad_outputs + n * row : nullptr;
#pragma GCC ivdep
        for (Index j = 0; j < n; ++j) total[j] = up(later[j]) + (now ? now[j] : T(0));
        T* __restrict grad_sums = lstm.grad_of_x + 4 * n * row;
        update_backward(cell, t, b, total, grad_sums);
        if (lstm.grad_products) {
            P* __restrict narrow = lstm.grad_products + 4 * n * row;
#pragma GCC ivdep
            for (Index j = 0; j < 4 * n; ++j) put(narrow[j], grad_sums[j]);
        }
    }
}

// A HyperLSTM over a window, in the words of `fused/inputs.py`: H = main.size, h = small.size.
template <class T, class P>
struct Hyper {
    const Cell<T> *main, *small;
    Index numbers, stride;       // K, in each z; numbers from one row of d_weight to the next, of which H are used
    const T *of_x, *small_of_x;  // (steps, batch, 4 H), (steps, batch, 4 h)
    const T* d_weight;           // (12, K, stride), 0 beyond H
    T* outputs;                  // (steps, batch, H)
    T** hyper_h;                 // (batch, h)
    P *narrow, *hyper_narrow;    // h and h^ for the next products, or null where those are `outputs` and `hyper_h`
    const T* grad_outputs;       // (steps, batch, H), or null
    T* grad_of_x;                // (steps, batch, 4 H)
    T* grad_d_weight;            // (12, K, stride)
    T *sums, *scratch;           // (batch, 4 H), and as much as `hyper_scratch` says
};

// Numbers that a processor treats as one.
typedef float FloatLanes __attribute__((vector_size(64)));
typedef double DoubleLanes __attribute__((vector_size(64)));
template <class T>
using Lanes = std::conditional_t<std::is_same_v<T, float>, FloatLanes, DoubleLanes>;
template <class T>
constexpr Index LANES = 64 / sizeof(T);

template <class T>
inline Lanes<T> lanes_at(const T* place) {
    Lanes<T> lanes;
    std::memcpy(&lanes, place, sizeof lanes);
    return lanes;
}

template <class T>
inline void put_lanes(T* place, Lanes<T> lanes) {
    std::memcpy(place, &lanes, sizeof lanes);
}

constexpr Index MOST = 4;  // lanes a piece

// Call f(from, lanes) for pieces of n numbers, n a multiple of LANES, with as many lanes as a constant.
template <class T, class F>
inline void in_pieces(Index n, F f) {
    Index from = 0;
    for (; from + MOST * LANES<T> <= n; from += MOST * LANES<T>) f(from, std::integral_constant<Index, MOST>{});
    for (; from < n; from += LANES<T>) f(from, std::integral_constant<Index, 1>{});
}

// products: h_weight h_{t-1}, (batch, 4 H + 4 h); projected: hyper_weight h^_{t-1} and its bias, (batch, 4 h + 12 K).
template <class T, class P>
void small_forward(const Hyper<T, P>& hyper, Index t, const P* products, const P* projected) {
    const Cell<T>& cell = *hyper.small;
    const Index n = cell.size, skip = 4 * hyper.main->size;
    T* __restrict sums = hyper.scratch;
    for (Index b = 0; b < cell.batch; ++b) {
        const P* __restrict of_h = products + (skip + 4 * n) * b + skip;
        const P* __restrict of_hyper_h = projected + (4 * n + 12 * hyper.numbers) * b;
        const T* __restrict of_x = hyper.small_of_x + 4 * n * (t * cell.batch + b);
#pragma GCC ivdep
        for (Index j = 0; j < 4 * n; ++j) sums[j] = of_x[j] + up(of_h[j]) + up(of_hyper_h[j]);
        T* __restrict h = hyper.hyper_h[t + 1] + n * b;
        update(cell, t, b, sums, h);
        if (hyper.hyper_narrow) {
            P* __restrict narrow = hyper.hyper_narrow + n * b;
#pragma GCC ivdep
            for (Index j = 0; j < n; ++j) put(narrow[j], h[j]);
        }
    }
}

// What a vector z makes of a piece of the weights, (K, stride): of a scaling vector, or of a bias.
template <Index M, class T, class P>
inline void combine(const P* z, const T* weight, Index numbers, Index stride, T* d) {
    Lanes<T> sum[M] = {};
    for (Index k = 0; k < numbers; ++k, weight += stride) {
        const T number = up(z[k]);
        for (Index m = 0; m < M; ++m) sum[m] += number * lanes_at(weight + m * LANES<T>);
    }
    for (Index m = 0; m < M; ++m) put_lanes<T>(d + m * LANES<T>, sum[m]);
}

// source: what z is in, as `projected` above, of h^_t or of h^_{t-1}.
template <class T, class P>
void main_forward(const Hyper<T, P>& hyper, Index t, const P* products, const P* source) {
    const Cell<T>& cell = *hyper.main;
    const Index n = cell.size, small = 4 * hyper.small->size, numbers = hyper.numbers, stride = hyper.stride;
    const Index kind = 4 * numbers * stride;
    T of_h[MOST * LANES<T>], of_x[MOST * LANES<T>], bias[MOST * LANES<T>];
    for (Index y = 0; y < 4; ++y)
        in_pieces<T>(stride, [&](Index from, auto lanes) {
            constexpr Index M = decltype(lanes)::value;
            const Index columns = std::min(M * LANES<T>, n - from), place = y * n + from;
            const T* weight = hyper.d_weight + y * numbers * stride + from;
            for (Index b = 0; b < cell.batch; ++b) {
                const P* z = source + (small + 12 * numbers) * b + small + y * numbers;
                combine<M>(z, weight, numbers, stride, of_h);
                combine<M>(z + 4 * numbers, weight + kind, numbers, stride, of_x);
                combine<M>(z + 8 * numbers, weight + 2 * kind, numbers, stride, bias);
                const P* __restrict product = products + (4 * n + small) * b + place;
                const T* __restrict x = hyper.of_x + 4 * n * (t * cell.batch + b) + place;
                T* __restrict sums = hyper.sums + 4 * n * b + place;
#pragma GCC ivdep
                for (Index j = 0; j < columns; ++j) sums[j] = bias[j] + of_h[j] * up(product[j]) + of_x[j] * x[j];
            }
        });
    for (Index b = 0; b < cell.batch; ++b) {
        T* __restrict h = hyper.outputs + n * (t * cell.batch + b);
        update(cell, t, b, hyper.sums + 4 * n * b, h);
        if (hyper.narrow) {
            P* __restrict narrow = hyper.narrow + n * b;
#pragma GCC ivdep
            for (Index j = 0; j < n; ++j) put(narrow[j], h[j]);
        }
    }
}

// grad_h: of h after step t, from later steps, (batch, H); grad_products: of `products`; grad_source: of `source`.
template <class T, class P>
void main_backward(const Hyper<T, P>& hyper, Index t, const P* grad_h, const P* products, const P* source,
                   P* grad_products, P* grad_source) {
    const Cell<T>& cell = *hyper.main;
    const Index n = cell.size, small = 4 * hyper.small->size, numbers = hyper.numbers, stride = hyper.stride;
    const Index batch = cell.batch, kind = 4 * numbers * stride, width = small + 12 * numbers;
    T* grad_z = hyper.scratch;  // in lanes that are still to be added up: (batch, 12, K, LANES)
    T* grad_d = grad_z + batch * 12 * numbers * LANES<T>;  // of a piece: (3, batch, MOST LANES)
    T* total = grad_d + 3 * batch * MOST * LANES<T>;
    for (Index b = 0; b < batch; ++b) {
        const P* __restrict later = grad_h + n * b;
        const T* __restrict now = hyper.grad_outputs ? hyper.grad_outputs + n * (t * batch + b) : nullptr;
#pragma GCC ivdep
        for (Index j = 0; j < n; ++j) total[j] = up(later[j]) + (now ? now[j] : T(0));
        update_backward(cell, t, b, total, hyper.sums + 4 * n * b);
    }
    std::fill(grad_z, grad_d, T(0));
    T of_h[MOST * LANES<T>], of_x[MOST * LANES<T>];
    for (Index y = 0; y < 4; ++y)
        in_pieces<T>(stride, [&](Index from, auto lanes) {
            constexpr Index M = decltype(lanes)::value, most = M * LANES<T>;
            const Index columns = std::min(most, n - from), place = y * n + from;
            const T* weight = hyper.d_weight + y * numbers * stride + from;
            for (Index b = 0; b < batch; ++b) {
                // The scaling vectors are computed again, which is less work than to keep them.
                const P* z = source + width * b + small + y * numbers;
                combine<M>(z, weight, numbers, stride, of_h);
                combine<M>(z + 4 * numbers, weight + kind, numbers, stride, of_x);
                const P* __restrict product = products + (4 * n + small) * b + place;
                const T* __restrict x = hyper.of_x + 4 * n * (t * batch + b) + place;
                const T* __restrict grad_sums = hyper.sums + 4 * n * b + place;
                P* __restrict grad_product = grad_products + (4 * n + small) * b + place;
                T* __restrict grad_x = hyper.grad_of_x + 4 * n * (t * batch + b) + place;
                T* __restrict grad_of_h = grad_d + b * most;
                T* __restrict grad_of_x = grad_of_h + batch * most;
                T* __restrict grad_bias = grad_of_x + batch * most;
#pragma GCC ivdep
                for (Index j = 0; j < columns; ++j) {
                    put(grad_product[j], grad_sums[j] * of_h[j]);
                    grad_x[j] = grad_sums[j] * of_x[j];
                    grad_of_h[j] = grad_sums[j] * up(product[j]);
                    grad_of_x[j] = grad_sums[j] * x[j];
                    grad_bias[j] = grad_sums[j];
                }
                for (Index j = columns; j < most; ++j) grad_of_h[j] = grad_of_x[j] = grad_bias[j] = 0;
                for (Index which = 0; which < 3; ++which) {
                    Lanes<T> grad[M];
                    for (Index m = 0; m < M; ++m) grad[m] = lanes_at(grad_d + (which * batch + b) * most + m * LANES<T>);
                    T* sums = grad_z + ((12 * b + 4 * which + y) * numbers) * LANES<T>;
                    const T* row = weight + which * kind;
                    for (Index k = 0; k < numbers; ++k, row += stride, sums += LANES<T>) {
                        Lanes<T> sum = lanes_at(sums);
                        for (Index m = 0; m < M; ++m) sum += grad[m] * lanes_at(row + m * LANES<T>);
                        put_lanes<T>(sums, sum);
                    }
                }
            }
            for (Index which = 0; which < 3; ++which)
                for (Index k = 0; k < numbers; ++k) {
                    Lanes<T> sum[M] = {};
                    const P* z = source + small + (4 * which + y) * numbers + k;
                    const T* grad = grad_d + which * batch * most;
                    for (Index b = 0; b < batch; ++b, grad += most) {
                        const T number = up(z[width * b]);
                        for (Index m = 0; m < M; ++m) sum[m] += number * lanes_at(grad + m * LANES<T>);
                    }
                    T* row = hyper.grad_d_weight + which * kind + (y * numbers + k) * stride + from;
                    for (Index m = 0; m < M; ++m) put_lanes<T>(row + m * LANES<T>, lanes_at(row + m * LANES<T>) + sum[m]);
                }
        });
    for (Index b = 0; b < batch; ++b)
        for (Index k = 0; k < 12 * numbers; ++k) {
            const T* lanes = grad_z + (12 * numbers * b + k) * LANES<T>;
            T sum = 0;
            for (Index m = 0; m < LANES<T>; ++m) sum += lanes[m];
            put(grad_source[width * b + small + k], sum);
        }
}

// grad_hyper_h: of h^ after step t, from what was computed of it, (batch, h); more: what else it has, or null.
template <class T, class P>
void small_backward(const Hyper<T, P>& hyper, Index t, const P* grad_hyper_h, const T* more, P* grad_products,
                    P* grad_projected) {
    const Cell<T>& cell = *hyper.small;
    const Index n = cell.size, skip = 4 * hyper.main->size;
    T *__restrict total = hyper.scratch, *__restrict grad_sums = total + n;
    for (Index b = 0; b < cell.batch; ++b) {
#pragma GCC ivdep
        for (Index j = 0; j < n; ++j) total[j] = up(grad_hyper_h[n * b + j]) + (more ? more[n * b + j] : T(0));
        update_backward(cell, t, b, total, grad_sums);
        P* __restrict grad_of_h = grad_products + (skip + 4 * n) * b + skip;
        P* __restrict grad_of_hyper_h = grad_projected + (4 * n + 12 * hyper.numbers) * b;
#pragma GCC ivdep
        for (Index j = 0; j < 4 * n; ++j) {
            put(grad_of_h[j], grad_sums[j]);
            put(grad_of_hyper_h[j], grad_sums[j]);
        }
    }
}

}  // namespace

#define EXPORTED extern "C" __attribute__((visibility("default")))
#define FUNCTIONS(NAME, T, P)                                                                                       \
    EXPORTED void lstm_forward_##NAME(const Lstm<T, P>* lstm, Index t, const P* products) {                         \
        lstm_forward(*lstm, t, products);                                                                           \
    }                                                                                                               \
    EXPORTED void lstm_backward_##NAME(const Lstm<T, P>* lstm, Index t, const P* grad_h) {                          \
        lstm_backward(*lstm, t, grad_h);                                                                            \
    }                                                                                                               \
    EXPORTED void small_forward_##NAME(const Hyper<T, P>* hyper, Index t, const P* products, const P* projected) {  \
        small_forward(*hyper, t, products, projected);                                                              \
    }                                                                                                               \
    EXPORTED void main_forward_##NAME(const Hyper<T, P>* hyper, Index t, const P* products, const P* source) {      \
        main_forward(*hyper, t, products, source);                                                                  \
    }                                                                                                               \
    EXPORTED void main_backward_##NAME(const Hyper<T, P>* hyper, Index t, const P* grad_h, const P* products,       \
                                       const P* source, P* grad_products, P* grad_source) {                         \
        main_backward(*hyper, t, grad_h, products, source, grad_products, grad_source);                             \
    }                                                                                                               \
    EXPORTED void small_backward_##NAME(const Hyper<T, P>* hyper, Index t, const P* grad_hyper_h, const T* more,    \
                                        P* grad_products, P* grad_projected) {                                      \
        small_backward(*hyper, t, grad_hyper_h, more, grad_products, grad_projected);                               \
    }

FUNCTIONS(float32, float, float)
FUNCTIONS(bfloat16, float, Bf16)
FUNCTIONS(float64, double, double)

// The numbers of a row of d_weight must be a multiple of this.
EXPORTED Index row_multiple() { return LANES<float>; }

// Numbers that `Hyper::scratch` has room for.
EXPORTED Index hyper_scratch(Index batch, Index size, Index hyper_size, Index numbers) {
    return batch * (12 * numbers + 3 * MOST) * LANES<float> + 5 * std::max(size, hyper_size);
}
