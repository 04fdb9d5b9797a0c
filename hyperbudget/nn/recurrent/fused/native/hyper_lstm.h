// The steps of a HyperLSTM.

#pragma once

#include <algorithm>

#include "gates.h"
#include "product.h"

namespace {

// A HyperLSTM over a window, in the words of `fused/inputs.py`: H = main.size, h = small.size.
template <class T, class P>
struct Hyper {
    const Cell<T> *main, *small;
    Index steps, current;        // T; whether z is of h^ of the same step, and not of the one before
    Index numbers, stride;       // K, in each z; numbers from one row of d_weight to the next, of which H are used
    const Weight<T, P> *h_weight, *hyper_weight;  // in the backward pass, of the gradients: transposed
    const Index* ids;            // x as tokens, (steps, batch), or null
    const T *of_x, *small_of_x;  // (steps, batch, 4 H), (steps, batch, 4 h); or (tokens, 4 H), (tokens, 4 h)
    const T* d_weight;           // (12, K, stride), 0 beyond H
    T* outputs;                  // (steps, batch, H)
    T** hyper_h;                 // (batch, h)
    P *last_h, *last_hyper_h;    // h and h^ for the next products, (batch, H), (batch, h)
    P **products, **projected;   // h_weight h_{t-1}, (batch, 4 H + 4 h); hyper_weight h^_{t-1}, (batch, 4 h + 12 K)
    const T *grad_outputs, *grad_last;  // (steps, batch, H), and of the last h^, (batch, h), or null
    T *grad_of_x, *grad_small_of_x;     // as of_x and small_of_x; of tokens, sums that begin at 0
    T* grad_d_weight;                   // (12, K, stride)
    P *grad_h, *grad_hyper_h;           // of last_h and last_hyper_h, by way of the products
    P *grad_products, *grad_projected;  // of the products of some steps; of hyper_weight h^ for all h^
    T *sums, *scratch;                  // (batch, 4 H), and as much as `hyper_scratch` says
};

template <class T, class P>
void small_forward(const Hyper<T, P>& hyper, Index t) {
    const Cell<T>& cell = *hyper.small;
    const Index n = cell.size, skip = 4 * hyper.main->size;
    T* __restrict sums = hyper.scratch;
    for (Index b = 0; b < cell.batch; ++b) {
        const P* __restrict of_h = hyper.products[t] + (skip + 4 * n) * b + skip;
        const P* __restrict of_hyper_h = hyper.projected[t] + (4 * n + 12 * hyper.numbers) * b;
        const T* __restrict of_x = hyper.small_of_x + 4 * n * row_of_x(hyper.ids, t * cell.batch + b);
#pragma GCC ivdep
        for (Index j = 0; j < 4 * n; ++j) sums[j] = of_x[j] + up(of_h[j]) + up(of_hyper_h[j]);
        T* __restrict h = hyper.hyper_h[t + 1] + n * b;
        update(cell, t, b, sums, h);
        P* __restrict last = hyper.last_hyper_h + n * b;
#pragma GCC ivdep
        for (Index j = 0; j < n; ++j) put(last[j], h[j]);
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

template <class T, class P>
void main_forward(const Hyper<T, P>& hyper, Index t) {
    const P *products = hyper.products[t], *source = hyper.projected[t + hyper.current];  // of the products; of z
    const Cell<T>& cell = *hyper.main;
    const Index n = cell.size, small = 4 * hyper.small->size, numbers = hyper.numbers, stride = hyper.stride;
    const Index kind = 4 * numbers * stride;
    T of_h[MOST * LANES<T>], of_x[MOST * LANES<T>], bias[MOST * LANES<T>];
    for (Index y = 0; y < 4; ++y)
        in_pieces<T>(stride, [&](Index from, auto lanes) {
            constexpr Index M = decltype(lanes)::value, most = M * LANES<T>;
            const Index columns = std::min(most, n - from), place = y * n + from;
            const T* weight = hyper.d_weight + y * numbers * stride + from;
            for (Index b = 0; b < cell.batch; ++b) {
                const P* z = source + (small + 12 * numbers) * b + small + y * numbers;
                combine<M>(z, weight, numbers, stride, of_h);
                combine<M>(z + 4 * numbers, weight + kind, numbers, stride, of_x);
                combine<M>(z + 8 * numbers, weight + 2 * kind, numbers, stride, bias);
                const P* __restrict product = products + (4 * n + small) * b + place;
                const T* __restrict x = hyper.of_x + 4 * n * row_of_x(hyper.ids, t * cell.batch + b) + place;
                T* __restrict sums = hyper.sums + 4 * n * b + place;
                for (Index line = 0; line < M; ++line) {  // of the next piece: it lies where no processor expects it
                    __builtin_prefetch(product + most + line * LANES<T>);
                    __builtin_prefetch(x + most + line * LANES<T>);
                }
#pragma GCC ivdep
                for (Index j = 0; j < columns; ++j) sums[j] = bias[j] + of_h[j] * up(product[j]) + of_x[j] * x[j];
            }
        });
    for (Index b = 0; b < cell.batch; ++b) {
        T* __restrict h = hyper.outputs + n * (t * cell.batch + b);
        update(cell, t, b, hyper.sums + 4 * n * b, h);
        P* __restrict last = hyper.last_h + n * b;
#pragma GCC ivdep
        for (Index j = 0; j < n; ++j) put(last[j], h[j]);
    }
}

// The window, from what is in the first of hyper_h, last_h and last_hyper_h.
template <class T, class P>
void hyper_forward(const Hyper<T, P>& hyper) {
    const Index batch = hyper.main->batch;
    multiply(*hyper.hyper_weight, batch, hyper.last_hyper_h, hyper.projected[0]);
    for (Index t = 0; t < hyper.steps; ++t) {
        multiply(*hyper.h_weight, batch, hyper.last_h, hyper.products[t]);
        small_forward(hyper, t);  // eq. 10
        // Eqs. 11 to 13. Where nothing is kept, what is projected lies where that of the step before was.
        if (!hyper.current) main_forward(hyper, t);
        multiply(*hyper.hyper_weight, batch, hyper.last_hyper_h, hyper.projected[t + 1]);
        if (hyper.current) main_forward(hyper, t);
    }
}

// grad_products: of this step's.
template <class T, class P>
void main_backward(const Hyper<T, P>& hyper, Index t, P* grad_products) {
    const Cell<T>& cell = *hyper.main;
    const Index n = cell.size, small = 4 * hyper.small->size, numbers = hyper.numbers, stride = hyper.stride;
    const Index batch = cell.batch, kind = 4 * numbers * stride, width = small + 12 * numbers;
    const P *products = hyper.products[t], *source = hyper.projected[t + hyper.current];
    P* grad_source = hyper.grad_projected + (t + hyper.current) * batch * width;
    T* grad_z = hyper.scratch;  // in lanes that are still to be added up: (batch, 12, K, LANES)
    T* grad_d = grad_z + batch * 12 * numbers * LANES<T>;  // of a piece: (3, batch, MOST LANES)
    T* total = grad_d + 3 * batch * MOST * LANES<T>;
    for (Index b = 0; b < batch; ++b) {
        const P* __restrict later = hyper.grad_h + n * b;
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
                const Index row_of = 4 * n * row_of_x(hyper.ids, t * batch + b) + place;
                const T* __restrict x = hyper.of_x + row_of;
                const T* __restrict grad_sums = hyper.sums + 4 * n * b + place;
                P* __restrict grad_product = grad_products + (4 * n + small) * b + place;
                T* __restrict grad_x = hyper.grad_of_x + row_of;
                for (Index line = 0; line < M; ++line) {  // of the next piece: it lies where no processor expects it
                    __builtin_prefetch(product + most + line * LANES<T>);
                    __builtin_prefetch(x + most + line * LANES<T>);
                    __builtin_prefetch(grad_x + most + line * LANES<T>, 1);
                }
                T* __restrict grad_of_h = grad_d + b * most;
                T* __restrict grad_of_x = grad_of_h + batch * most;
                T* __restrict grad_bias = grad_of_x + batch * most;
#pragma GCC ivdep
                for (Index j = 0; j < columns; ++j) {
                    put(grad_product[j], grad_sums[j] * of_h[j]);
                    grad_of_h[j] = grad_sums[j] * up(product[j]);
                    grad_of_x[j] = grad_sums[j] * x[j];
                    grad_bias[j] = grad_sums[j];
                }
                if (hyper.ids) {
#pragma GCC ivdep
                    for (Index j = 0; j < columns; ++j) grad_x[j] += grad_sums[j] * of_x[j];
                } else {
#pragma GCC ivdep
                    for (Index j = 0; j < columns; ++j) grad_x[j] = grad_sums[j] * of_x[j];
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

template <class T, class P>
void small_backward(const Hyper<T, P>& hyper, Index t, P* grad_products) {
    const Cell<T>& cell = *hyper.small;
    const Index n = cell.size, skip = 4 * hyper.main->size, width = 4 * n + 12 * hyper.numbers;
    T *__restrict total = hyper.scratch, *__restrict grad_sums = total + n;
    const T* grad_last = t == hyper.steps - 1 ? hyper.grad_last : nullptr;
    for (Index b = 0; b < cell.batch; ++b) {
        const P* __restrict grad_h = hyper.grad_hyper_h + n * b;
#pragma GCC ivdep
        for (Index j = 0; j < n; ++j) total[j] = up(grad_h[j]) + (grad_last ? grad_last[n * b + j] : T(0));
        update_backward(cell, t, b, total, grad_sums);
        P* __restrict grad_of_h = grad_products + (skip + 4 * n) * b + skip;
        P* __restrict grad_of_hyper_h = hyper.grad_projected + width * (t * cell.batch + b);
        T* __restrict grad_x = hyper.grad_small_of_x + 4 * n * row_of_x(hyper.ids, t * cell.batch + b);
#pragma GCC ivdep
        for (Index j = 0; j < 4 * n; ++j) {
            put(grad_of_h[j], grad_sums[j]);
            put(grad_of_hyper_h[j], grad_sums[j]);
            grad_x[j] = hyper.ids ? grad_x[j] + grad_sums[j] : grad_sums[j];
        }
    }
}

// The steps before `end`, from the last to `begin`, whose grad_products come first.
template <class T, class P>
void hyper_backward(const Hyper<T, P>& hyper, Index begin, Index end) {
    const Index batch = hyper.main->batch, gates = hyper.h_weight->inputs, width = hyper.hyper_weight->inputs;
    for (Index t = end - 1; t >= begin; --t) {
        P* grad_products = hyper.grad_products + (t - begin) * batch * gates;
        main_backward(hyper, t, grad_products);
        multiply(*hyper.hyper_weight, batch, hyper.grad_projected + (t + 1) * batch * width, hyper.grad_hyper_h);
        small_backward(hyper, t, grad_products);
        multiply(*hyper.h_weight, batch, grad_products, hyper.grad_h);
    }
    if (begin == 0) multiply(*hyper.hyper_weight, batch, hyper.grad_projected, hyper.grad_hyper_h);
}

}  // namespace
