// Everything between the matrix products of LSTM and HyperLSTM steps, forward and backward in time.
//
// A step is a matrix product for all samples, and then work on each number of a sample's gates. PyTorch does the second
// in some twenty passes over memory; here it is one or two. Plain C functions on plain memory: this file needs no header
// of PyTorch, and what is compiled from it works with every version.
//
// T is the type of states, parameters and gradients, P that of what goes into matrix products and comes out of them. Rows
// are samples: of 4 gates (i, g, f, o) times `size` numbers. A pointer to pointers has one entry a step, and c and
// hyper_h one more for what was before the first.

#include "hyper_lstm.h"
#include "lstm.h"

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
