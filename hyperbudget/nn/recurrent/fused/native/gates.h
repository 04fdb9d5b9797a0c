// What every LSTM does with its four gates, forward and backward.

#pragma once

#include "numbers.h"

namespace {

// The gates of one LSTM, without its matrix products: `gates.update`.
template <class T>
struct Cell {
    Index batch, size;
    // What costs time is memory more than arithmetic: what can be computed again from this is not kept.
    T **c;      // (batch, size)
    T **gates;  // i, tanh(g), f, o: (batch, 4, size); null with layer norm
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

// Where it stands what the x of a row, of all samples of all steps, adds to the gates.
inline Index row_of_x(const Index* ids, Index row) { return ids ? ids[row] : row; }

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

// From sums to i, tanh(g), f, o, which may lie in the same place: (4, size).
template <class T>
void activate(const T* sums, T* gates, Index n) {
#pragma GCC ivdep
    for (Index j = 0; j < n; ++j) gates[j] = sigmoid(sums[j]);
#pragma GCC ivdep
    for (Index j = n; j < 2 * n; ++j) gates[j] = hyperbolic_tangent(sums[j]);
#pragma GCC ivdep
    for (Index j = 2 * n; j < 4 * n; ++j) gates[j] = sigmoid(sums[j]);
}

// Write h, (size,), of sample b. sums: of its four gates, (4, size); they are lost.
template <class T>
void update(const Cell<T>& cell, Index t, Index b, T* sums, T* h) {
    const Index n = cell.size, row = n * b;
    if (cell.gain)
        for (Index y = 0; y < 4; ++y)
            normalise(sums + y * n, cell.values[t] + 4 * row + y * n, cell.scale[t] + 4 * b + y, cell.gain + y * n,
                      cell.offset + y * n, sums + y * n, n, cell.epsilon);
    T* gates = cell.gain ? sums : cell.gates[t] + 4 * row;
    activate(sums, gates, n);
    const T* before = cell.c[t] + row;
    T* after = cell.c[t + 1] + row;  // where nothing is kept, it is `before`
    const T* __restrict mask = cell.mask ? cell.mask + (t * cell.batch) * n + row : nullptr;
    if (mask) {
#pragma GCC ivdep
        for (Index j = 0; j < n; ++j) after[j] = gates[2 * n + j] * before[j] + gates[j] * gates[n + j] * mask[j];
    } else {
#pragma GCC ivdep
        for (Index j = 0; j < n; ++j) after[j] = gates[2 * n + j] * before[j] + gates[j] * gates[n + j];
    }
    const T* seen = after;
    if (cell.gain) {
        normalise(after, cell.c_values[t] + row, cell.c_scale[t] + b, cell.c_gain, cell.c_offset, h, n, cell.epsilon);
        seen = h;
    }
#pragma GCC ivdep
    for (Index j = 0; j < n; ++j) h[j] = gates[3 * n + j] * hyperbolic_tangent(seen[j]);
}

// Write the gradient of the sums of sample b, (4, size). grad_h: (size,), is lost.
template <class T>
void update_backward(const Cell<T>& cell, Index t, Index b, T* __restrict grad_h, T* grad_sums) {
    const Index n = cell.size, row = n * b;
    const T* gates = cell.gain ? grad_sums : cell.gates[t] + 4 * row;  // each number is read before it is written
    const T* __restrict before = cell.c[t] + row;
    const T* __restrict after = cell.c[t + 1] + row;
    const T* __restrict mask = cell.mask ? cell.mask + (t * cell.batch) * n + row : nullptr;
    T* __restrict grad_c = cell.grad_c + row;
    if (cell.gain) {
        const T* __restrict values = cell.values[t] + 4 * row;
#pragma GCC ivdep
        for (Index j = 0; j < 4 * n; ++j) grad_sums[j] = cell.gain[j] * values[j] + cell.offset[j];
        activate(grad_sums, grad_sums, n);
        const T* __restrict c_values = cell.c_values[t] + row;
#pragma GCC ivdep
        for (Index j = 0; j < n; ++j) {
            const T o = gates[3 * n + j], shown = hyperbolic_tangent(cell.c_gain[j] * c_values[j] + cell.c_offset[j]);
            grad_sums[3 * n + j] = grad_h[j] * shown * o * (T(1) - o);
            grad_h[j] *= o * (T(1) - shown * shown);
        }
        normalise_backward(grad_h, c_values, cell.c_scale[t][b], cell.c_gain, cell.grad_c_gain, cell.grad_c_offset, n);
    } else {
#pragma GCC ivdep
        for (Index j = 0; j < n; ++j) {
            const T o = gates[3 * n + j], shown = hyperbolic_tangent(after[j]);
            grad_sums[3 * n + j] = grad_h[j] * shown * o * (T(1) - o);
            grad_h[j] *= o * (T(1) - shown * shown);
        }
    }
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

}  // namespace
