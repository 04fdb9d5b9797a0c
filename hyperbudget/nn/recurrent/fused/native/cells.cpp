// Windows of LSTM and HyperLSTM steps, forward and backward in time.
//
// A step is matrix products for all samples, and then work on each number of a sample's gates. PyTorch does the second in
// some twenty passes over memory; here it is one or two. Plain C functions on plain memory: this file needs no header of
// PyTorch, and what is compiled from it works with every version.
//
// T is the type of states, parameters and gradients, P that of what goes into matrix products and comes out of them. Rows
// are samples: of 4 gates (i, g, f, o) times `size` numbers. A pointer to pointers has one entry a step, and c,
// hyper_h and projected one more for what was before the first.

#include "hyper_lstm.h"
#include "lstm.h"

#define EXPORTED extern "C" __attribute__((visibility("default")))
#define FUNCTIONS(NAME, T, P)                                                                                    \
    EXPORTED Index packed_bytes_##NAME(Index outputs, Index inputs) {                                            \
        return packed_numbers<T, P>(outputs, inputs) * sizeof(Number<P>);                                        \
    }                                                                                                            \
    EXPORTED void pack_##NAME(const Weight<T, P>* weight, const P* values, Index by_output, Index by_input) {    \
        pack(*weight, values, by_output, by_input);                                                              \
    }                                                                                                            \
    EXPORTED void lstm_forward_##NAME(const Lstm<T, P>* lstm) { lstm_forward(*lstm); }                           \
    EXPORTED void lstm_backward_##NAME(const Lstm<T, P>* lstm) { lstm_backward(*lstm); }                         \
    EXPORTED void hyper_forward_##NAME(const Hyper<T, P>* hyper) { hyper_forward(*hyper); }                      \
    EXPORTED void hyper_backward_##NAME(const Hyper<T, P>* hyper, Index begin, Index end) {                      \
        hyper_backward(*hyper, begin, end);                                                                      \
    }

FUNCTIONS(float32, float, float)
FUNCTIONS(bfloat16, float, Bf16)
FUNCTIONS(float64, double, double)

#define GRADIENT(NAME, T)                                                                                       \
    EXPORTED void add_gradient_##NAME(const Weight<T, T>* x, Index outputs, const T* grad_y, T* grad) {          \
        add_gradient(*x, outputs, grad_y, grad);                                                                 \
    }

GRADIENT(float32, float)
GRADIENT(float64, double)

// The numbers of a row of d_weight must be a multiple of this.
EXPORTED Index row_multiple() { return LANES<float>; }

// Numbers that `Hyper::scratch` has room for.
EXPORTED Index hyper_scratch(Index batch, Index size, Index hyper_size, Index numbers) {
    return batch * (12 * numbers + 3 * MOST) * LANES<float> + 5 * std::max(size, hyper_size);
}
