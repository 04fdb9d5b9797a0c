// The steps of an LSTM.

#pragma once

#include "gates.h"

namespace {

// An LSTM over a window.
template <class T, class P>
struct Lstm {
    const Cell<T>* cell;
    const Index* ids;  // x as tokens, (steps, batch), or null
    const T* of_x;     // what x adds to the gates: (steps, batch, 4 size), or (tokens, 4 size)
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
        const T* __restrict of_x = lstm.of_x + 4 * n * row_of_x(lstm.ids, t * cell.batch + b);
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

}  // namespace
