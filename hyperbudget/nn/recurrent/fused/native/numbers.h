// Numbers of several types, alone and in lanes.

#pragma once

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

// Numbers that a processor treats as one: as many as a register holds, since compilers do badly at more.
#if defined(__AVX512F__)
#define LANE_BYTES 64
#elif defined(__AVX__)
#define LANE_BYTES 32
#else
#define LANE_BYTES 16
#endif
typedef float FloatLanes __attribute__((vector_size(LANE_BYTES)));
typedef double DoubleLanes __attribute__((vector_size(LANE_BYTES)));
template <class T>
using Lanes = std::conditional_t<std::is_same_v<T, float>, FloatLanes, DoubleLanes>;
template <class T>
constexpr Index LANES = LANE_BYTES / sizeof(T);

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

}  // namespace
