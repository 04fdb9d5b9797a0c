// Products of a few rows with one weight, again and again, and that weight's gradient.
//
// A library has more to do before each than a product of a small cell takes, and wants new memory for each result.

#pragma once

#include <algorithm>

#include "numbers.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>
#endif

namespace {

// W x + b, for W of shape (outputs, inputs). W lies in panels, each of PANEL outputs: for one input after the other, or
// one group of GROUP inputs after the other, the numbers of all these outputs. Those that are too many are 0.
template <class T, class P>
struct Weight {
    void* packed;   // of type Number<P>
    const T* bias;  // (outputs,), or null
    Index inputs, outputs;
};

// What registers hold of a result: ROWS rows of LINES lanes.
#if defined(__AVX512F__)
constexpr Index ROWS = 8, LINES = 2;
#else
constexpr Index ROWS = 6, LINES = 2;
#endif
constexpr Index DEPTH = 256;          // groups of inputs at once, so that this part of a panel stays in the cache
constexpr Index TOGETHER = 8 * ROWS;  // rows that it stays there for
constexpr Index CORNER = 32;          // inputs at once when a weight is packed
constexpr Index MANY = 4 << 20;       // multiplications that are worth more than one thread

template <class T>
constexpr Index PANEL = LINES * LANES<T>;

// How numbers of type P are packed and multiplied: GROUP inputs at a time.
template <class P>
struct Factor {
    using Packed = decltype(up(P{}));
    static constexpr Index GROUP = 1;
    static Packed packed(P x) { return up(x); }
    static Lanes<Packed> add(Lanes<Packed> sum, const P* x, const Packed* weights) {
        return sum + up(*x) * lanes_at(weights);
    }
};

#if defined(__AVX512BF16__)
template <>
struct Factor<Bf16> {
    using Packed = Bf16;
    static constexpr Index GROUP = 2;
    static Bf16 packed(Bf16 x) { return x; }
    static FloatLanes add(FloatLanes sum, const Bf16* x, const Bf16* weights) {
        int pair;
        std::memcpy(&pair, x, sizeof pair);
        return (FloatLanes)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_set1_epi32(pair),
                                            (__m512bh)_mm512_loadu_si512(weights));
    }
};
#endif

template <class P>
using Number = typename Factor<P>::Packed;

// Numbers in a panel.
template <class T, class P>
Index panel_numbers(Index inputs) {
    constexpr Index G = Factor<P>::GROUP;
    return (inputs + G - 1) / G * G * PANEL<T>;
}

// Numbers that `packed` has room for.
template <class T, class P>
Index packed_numbers(Index outputs, Index inputs) {
    return (outputs + PANEL<T> - 1) / PANEL<T> * panel_numbers<T, P>(inputs);
}

// values: (outputs, inputs), with any strides.
template <class T, class P>
void pack(const Weight<T, P>& weight, const P* values, Index by_output, Index by_input) {
    constexpr Index G = Factor<P>::GROUP, WIDTH = PANEL<T>;
    const Index size = panel_numbers<T, P>(weight.inputs);
    auto* to = static_cast<Number<P>*>(weight.packed);
    for (Index left = weight.outputs; left > 0; left -= WIDTH, to += size, values += WIDTH * by_output) {
        const Index outputs = std::min(WIDTH, left);
        if (outputs < WIDTH || weight.inputs % G) std::fill(to, to + size, Factor<P>::packed(P{}));
        const auto copy = [=](Index j, Index k) {
            to[(k / G * WIDTH + j) * G + k % G] = Factor<P>::packed(values[j * by_output + k * by_input]);
        };
        for (Index k = 0; k < weight.inputs; k += CORNER) {
            const Index end = std::min(k + CORNER, weight.inputs);
            if (by_output == 1)
                for (Index i = k; i < end; ++i)
                    for (Index j = 0; j < outputs; ++j) copy(j, i);
            else
                for (Index j = 0; j < outputs; ++j)
                    for (Index i = k; i < end; ++i) copy(j, i);
        }
    }
}

// Some rows of x: how far it is from row to row, and from group to group of inputs.
template <class P>
struct Rows {
    const P* first;
    Index by_row, by_group;
};

// Add to R rows of sums, (R, PANEL), what some groups of inputs bring. ahead: fetched for later, as much as a group has
// of a lane at a time.
template <Index R, class T, class P>
inline void add_products(Rows<P> x, const Number<P>* weights, const Number<P>* ahead, Index groups, T* sums) {
    constexpr Index LINE = Factor<P>::GROUP * LANES<T>;
    Lanes<T> sum[R][LINES];
    for (Index r = 0; r < R; ++r)
        for (Index m = 0; m < LINES; ++m) sum[r][m] = lanes_at(sums + r * PANEL<T> + m * LANES<T>);
    const P* at = x.first;
    for (Index k = 0; k < groups; ++k, at += x.by_group, weights += LINES * LINE, ahead += LINE) {
        __builtin_prefetch(ahead, 0, 2);
        for (Index r = 0; r < R; ++r)
            for (Index m = 0; m < LINES; ++m)
                sum[r][m] = Factor<P>::add(sum[r][m], at + r * x.by_row, weights + m * LINE);
    }
    for (Index r = 0; r < R; ++r)
        for (Index m = 0; m < LINES; ++m) put_lanes<T>(sums + r * PANEL<T> + m * LANES<T>, sum[r][m]);
}

// The same for any number of rows.
template <Index R = ROWS, class T, class P>
inline void add_rows(Index rows, Rows<P> x, const Number<P>* weights, const Number<P>* ahead, Index groups, T* sums) {
    for (; rows >= R; rows -= R, x.first += R * x.by_row, sums += R * PANEL<T>) {
        add_products<R>(x, weights, ahead, groups, sums);
        ahead += groups * Factor<P>::GROUP * LANES<T>;
    }
    if constexpr (R > 1) add_rows<R / 2>(rows, x, weights, ahead, groups, sums);
}

// x: (rows, inputs); y: W x + b, (rows, outputs).
template <class T, class P>
void multiply(const Weight<T, P>& weight, Index rows, const P* x, P* y) {
    constexpr Index G = Factor<P>::GROUP, WIDTH = PANEL<T>;
    const Index inputs = weight.inputs, outputs = weight.outputs, whole = inputs / G;
    const Index panel = panel_numbers<T, P>(inputs);
    for (; rows > 0; rows -= TOGETHER, x += TOGETHER * inputs, y += TOGETHER * outputs) {
        const Index some = std::min(rows, TOGETHER);
#pragma omp parallel for if (some * inputs * outputs > MANY)
        for (Index from = 0; from < outputs; from += WIDTH) {
            const Index columns = std::min(WIDTH, outputs - from);
            const auto* weights = static_cast<const Number<P>*>(weight.packed) + from / WIDTH * panel;
            const T* bias = weight.bias ? weight.bias + from : nullptr;
            alignas(64) T sums[TOGETHER * WIDTH];
            std::fill(sums, sums + some * WIDTH, T(0));
            for (Index k = 0; k < whole; k += DEPTH) {
                const Index groups = std::min(DEPTH, whole - k);
                const auto* next = weights + groups * G * WIDTH;
                add_rows(some, Rows<P>{x + k * G, inputs, G}, weights, next, groups, sums);
                weights = next;
            }
            if (whole * G < inputs) {  // a last group that is not full
                P last[TOGETHER * G] = {};
                for (Index b = 0; b < some; ++b)
                    std::copy(x + b * inputs + whole * G, x + (b + 1) * inputs, last + b * G);
                add_rows(some, Rows<P>{last, G, G}, weights, weights, 1, sums);
            }
            for (Index b = 0; b < some; ++b)
                for (Index j = 0; j < columns; ++j)
                    put(y[b * outputs + from + j], sums[b * WIDTH + j] + (bias ? bias[j] : T(0)));
        }
    }
}

// Add to the gradient of a weight, (outputs, inputs), what some rows bring: grad_y, (rows, outputs), and the x that they
// are of, (rows, inputs), packed as a weight from rows to inputs.
template <class T>
void add_gradient(const Weight<T, T>& x, Index outputs, const T* grad_y, T* grad) {
    constexpr Index WIDTH = PANEL<T>;
    const Index rows = x.inputs, inputs = x.outputs, panel = panel_numbers<T, T>(rows);
#pragma omp parallel for if (rows * inputs * outputs > MANY)
    for (Index from = 0; from < outputs; from += TOGETHER) {
        const Index some = std::min(TOGETHER, outputs - from);
        for (Index row = 0; row < rows; row += DEPTH) {
            const Index count = std::min(DEPTH, rows - row);
            T near[DEPTH * TOGETHER];
            for (Index b = 0; b < count; ++b) {
                const T* line = grad_y + (row + b) * outputs + from;
                for (Index j = 0; j < TOGETHER; j += LANES<T>) __builtin_prefetch(line + 8 * outputs + j);
                std::copy(line, line + some, near + b * TOGETHER);
            }
            const T* part = static_cast<const T*>(x.packed) + row * WIDTH;
            for (Index to = 0; to < inputs; to += WIDTH, part += panel) {
                const Index columns = std::min(WIDTH, inputs - to);
                alignas(64) T sums[TOGETHER * WIDTH];
                std::fill(sums, sums + some * WIDTH, T(0));
                add_rows(some, Rows<T>{near, 1, TOGETHER}, part, part + panel, count, sums);
                T* corner = grad + from * inputs + to;
                for (Index j = 0; j < some; ++j)
                    for (Index i = 0; i < columns; ++i) corner[j * inputs + i] += sums[j * WIDTH + i];
            }
        }
    }
}

}  // namespace
