// The steps of an LSTM.

#pragma once

#include "gates.h"
#include "product.h"

namespace {

// An LSTM over a window.
template <class T, class P>
struct Lstm {
    const Cell<T>* cell;
    Index steps;
    const Weight<T, P>* h_weight;  // in the backward pass, of the gradients: transposed
    const Index* ids;              // x as tokens, (steps, batch), or null
    const T* of_x;                 // what x adds to the gates: (steps, batch, 4 size), or (tokens, 4 size)
    T* outputs;                    // (steps, batch, size)
    P *last_h, *products;          // h for the next product, (batch, size), and W_h h, (batch, 4 size)
    const T* grad_outputs;         // (steps, batch, size), or null
    T* grad_of_x;                  // (steps, batch, 4 size)
    P *grad_h, *grad_products;     // of last_h; of W_h h, (steps, batch, 4 size), maybe the same as grad_of_x
    T* scratch;                    // (5 size,)
};

// The window, from what is in last_h.
template <class T, class P>
void lstm_forward(const Lstm<T, P>& lstm) {
    const Cell<T>& cell = *lstm.cell;
    const Index n = cell.size;
    T* __restrict sums = lstm.scratch;
    for (Index t = 0; t < lstm.steps; ++t) {
        multiply(*lstm.h_weight, cell.batch, lstm.last_h, lstm.products);
        for (Index b = 0; b < cell.batch; ++b) {
            const P* __restrict product = lstm.products + 4 * n * b;
            const T* __restrict of_x = lstm.of_x + 4 * n * row_of_x(lstm.ids, t * cell.batch + b);
#pragma GCC ivdep
            for (Index j = 0; j < 4 * n; ++j) sums[j] = of_x[j] + up(product[j]);
            T* __restrict h = lstm.outputs + n * (t * cell.batch + b);
            update(cell, t, b, sums, h);
            P* __restrict last = lstm.last_h + n * b;
#pragma GCC ivdep
            for (Index j = 0; j < n; ++j) put(last[j], h[j]);
        }
    }
}

template <class T, class P>
void lstm_backward(const Lstm<T, P>& lstm) {
    const Cell<T>& cell = *lstm.cell;
    const Index n = cell.size;
    T* __restrict total = lstm.scratch;
    for (Index t = lstm.steps - 1; t >= 0; --t) {
        P* grad_products = lstm.grad_products + 4 * n * cell.batch * t;
        for (Index b = 0; b < cell.batch; ++b) {
            const Index row = t * cell.batch + b;
            const P* __restrict later = lstm.grad_h + n * b;
            const T* __restrict now = lstm.grad_outputs ? lstm.grad_outputs + n * row : nullptr;
#pragma GCC ivdep
            for (Index j = 0; j < n; ++j) total[j] = up(later[j]) + (now ? now[j] : T(0));
            T* __restrict grad_sums = lstm.grad_of_x + 4 * n * row;
            update_backward(cell, t, b, total, grad_sums);
            if constexpr (!std::is_same_v<T, P>) {
                P* __restrict narrow = grad_products + 4 * n * b;
#pragma GCC ivdep
                for (Index j = 0; j < 4 * n; ++j) put(narrow[j], grad_sums[j]);
            }
        }
        multiply(*lstm.h_weight, cell.batch, grad_products, lstm.grad_h);
    }
}

}  // namespace
