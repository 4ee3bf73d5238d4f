// SPDX-License-Identifier: Apache-2.0
// All arithmetic is done in polynomial form: the change of coordinates is linear, so it is enough
// to convert points and symbols on the way in and symbols on the way out.
#include "erasure_reference.hpp"

#include <utility>

namespace furrow::reference {
namespace {

/// An element in polynomial form: bit i is the coefficient of x^i.
using Polynomial = std::uint16_t;

/// The Cantor basis in polynomial form, and the powers of x in Cantor coordinates (section 1).
constexpr std::uint16_t kBasis[16] = {0x0001, 0xACCA, 0x3C0E, 0x163E, 0xC582, 0xED2E,
                                      0x914C, 0x4012, 0x6C98, 0x10D8, 0x6A72, 0xB900,
                                      0xFDB8, 0xFB34, 0xFF38, 0x991E};
constexpr std::uint16_t kPowers[16] = {0x0001, 0x4690, 0x65d8, 0x62d0, 0x5734, 0x45f0,
                                       0x53b8, 0x1e38, 0x7cae, 0x4e38, 0x6708, 0xc25c,
                                       0x7a64, 0x9eac, 0x1124, 0x523a};

std::uint16_t combine(const std::uint16_t (&columns)[16], std::uint16_t bits) {
  std::uint16_t sum = 0;
  for (int i = 0; i < 16; ++i) {
    if ((bits >> i & 1) != 0) {
      sum = static_cast<std::uint16_t>(sum ^ columns[i]);
    }
  }
  return sum;
}

Polynomial to_polynomial(std::uint16_t cantor) {
  return combine(kBasis, cantor);
}
std::uint16_t to_cantor(Polynomial polynomial) {
  return combine(kPowers, polynomial);
}

Polynomial add(Polynomial a, Polynomial b) {
  return static_cast<Polynomial>(a ^ b);
}

/// Shift and add from the highest bit of b down, reducing as it goes.
Polynomial multiply(Polynomial a, Polynomial b) {
  std::uint32_t product = 0;
  for (int bit = 15; bit >= 0; --bit) {
    product <<= 1;
    if ((product & 0x10000U) != 0) {
      product ^= 0x1002DU;
    }
    if ((b >> bit & 1) != 0) {
      product ^= a;
    }
  }
  return static_cast<Polynomial>(product);
}

/// a^(2^16 - 2). Pre: a is not zero.
Polynomial inverse(Polynomial a) {
  Polynomial result = 1;
  for (int i = 0; i < 15; ++i) {
    a = multiply(a, a);
    result = multiply(result, a);
  }
  return result;
}

std::size_t tail_start(std::size_t shard_bytes) {
  return shard_bytes / 64 * 64;
}

/// Places of the low and the high byte of a symbol (section 2).
std::pair<std::size_t, std::size_t> symbol_places(std::size_t symbol, std::size_t shard_bytes) {
  const std::size_t block = symbol / 32 * 64;
  const std::size_t block_bytes = block < tail_start(shard_bytes) ? 64 : shard_bytes - block;
  const std::size_t low = block + symbol % 32;
  return {low, low + block_bytes / 2};
}

Polynomial symbol_of(const ErasureShard& shard, std::size_t symbol) {
  const auto [low, high] = symbol_places(symbol, shard.size());
  return to_polynomial(static_cast<std::uint16_t>(shard[low] | shard[high] << 8));
}

void set_symbol(ErasureShard& shard, std::size_t symbol, Polynomial value) {
  const auto [low, high] = symbol_places(symbol, shard.size());
  const std::uint16_t cantor = to_cantor(value);
  shard[low] = static_cast<std::uint8_t>(cantor);
  shard[high] = static_cast<std::uint8_t>(cantor >> 8);
}

/// How much each source contributes to each parity: matrix[j][i], the Lagrange polynomial of source
/// i within its group of n, taken at point j (section 3).
std::vector<std::vector<Polynomial>> generator_matrix(std::size_t k, std::size_t m) {
  std::size_t n = 1;
  while (n < m) {
    n *= 2;
  }
  const auto point = [](std::size_t index) {
    return to_polynomial(static_cast<std::uint16_t>(index));
  };
  std::vector<std::vector<Polynomial>> matrix(m, std::vector<Polynomial>(k));
  for (std::size_t j = 0; j < m; ++j) {
    for (std::size_t i = 0; i < k; ++i) {
      const std::size_t group_start = n + i / n * n;
      Polynomial numerator = 1;
      Polynomial denominator = 1;
      for (std::size_t other = group_start; other < group_start + n; ++other) {
        if (other != n + i) {
          numerator = multiply(numerator, add(point(j), point(other)));
          denominator = multiply(denominator, add(point(n + i), point(other)));
        }
      }
      matrix[j][i] = multiply(numerator, inverse(denominator));
    }
  }
  return matrix;
}

/// An equation: coefficients of the unknown shards, and the symbols of the right-hand side.
struct Equation {
  std::vector<Polynomial> coefficients;
  std::vector<Polynomial> sums;

  void scale(Polynomial factor) {
    for (auto* values : {&coefficients, &sums}) {
      for (Polynomial& value : *values) {
        value = multiply(value, factor);
      }
    }
  }
  void add_multiple(const Equation& other, Polynomial factor) {
    for (std::size_t i = 0; i < coefficients.size(); ++i) {
      coefficients[i] = add(coefficients[i], multiply(other.coefficients[i], factor));
    }
    for (std::size_t i = 0; i < sums.size(); ++i) {
      sums[i] = add(sums[i], multiply(other.sums[i], factor));
    }
  }
};

/// Gauss-Jordan elimination; afterwards sums[u] belongs to unknown u. Every square part of the
/// matrix of this code is invertible, so a pivot is always found.
void solve(std::vector<Equation>& equations) {
  for (std::size_t column = 0; column < equations.size(); ++column) {
    std::size_t pivot = column;
    while (equations.at(pivot).coefficients[column] == 0) {
      ++pivot;
    }
    std::swap(equations[column], equations[pivot]);
    equations[column].scale(inverse(equations[column].coefficients[column]));
    for (std::size_t row = 0; row < equations.size(); ++row) {
      if (row != column) {
        equations[row].add_multiple(equations[column], equations[row].coefficients[column]);
      }
    }
  }
}

/// What a parity shard says about the missing sources, the known ones subtracted.
Equation equation_of(const ErasureShard& parity, const std::vector<Polynomial>& generator,
                     const std::vector<std::optional<ErasureShard>>& source) {
  Equation equation;
  for (std::size_t symbol = 0; symbol < parity.size() / 2; ++symbol) {
    Polynomial sum = symbol_of(parity, symbol);
    for (std::size_t i = 0; i < source.size(); ++i) {
      if (source[i].has_value()) {
        sum = add(sum, multiply(generator[i], symbol_of(*source[i], symbol)));
      }
    }
    equation.sums.push_back(sum);
  }
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (!source[i].has_value()) {
      equation.coefficients.push_back(generator[i]);
    }
  }
  return equation;
}

}  // namespace

std::uint16_t gf16_multiply(std::uint16_t a, std::uint16_t b) {
  return to_cantor(multiply(to_polynomial(a), to_polynomial(b)));
}

std::vector<ErasureShard> erasure_extend(const std::vector<ErasureShard>& source,
                                         std::size_t n_parity) {
  const auto matrix = generator_matrix(source.size(), n_parity);
  const std::size_t shard_bytes = source.at(0).size();
  std::vector<ErasureShard> parity(n_parity, ErasureShard(shard_bytes));
  for (std::size_t j = 0; j < n_parity; ++j) {
    for (std::size_t symbol = 0; symbol < shard_bytes / 2; ++symbol) {
      Polynomial sum = 0;
      for (std::size_t i = 0; i < source.size(); ++i) {
        sum = add(sum, multiply(matrix[j][i], symbol_of(source[i], symbol)));
      }
      set_symbol(parity[j], symbol, sum);
    }
  }
  return parity;
}

/// Lagrange's formula with what the factors of all sources share taken out of it: sources have the
/// points n to 2n - 1, so differences to the other ones are 1 to n - 1 whichever source it is.
ErasureShard erasure_parity_shard(const std::vector<ErasureShard>& source, std::size_t j) {
  const std::size_t n = source.size();
  const auto point = [](std::size_t index) {
    return to_polynomial(static_cast<std::uint16_t>(index));
  };
  Polynomial numerator = 1;  // of all sources, each with its own factor too many
  Polynomial denominator = 1;
  for (std::size_t i = 0; i < n; ++i) {
    numerator = multiply(numerator, add(point(j), point(n + i)));
  }
  for (std::size_t difference = 1; difference < n; ++difference) {
    denominator = multiply(denominator, point(difference));
  }
  const Polynomial common = multiply(numerator, inverse(denominator));
  const std::size_t shard_bytes = source.at(0).size();
  std::vector<Polynomial> sums(shard_bytes / 2);
  for (std::size_t i = 0; i < n; ++i) {
    const Polynomial factor = multiply(common, inverse(add(point(j), point(n + i))));
    for (std::size_t symbol = 0; symbol < sums.size(); ++symbol) {
      sums[symbol] = add(sums[symbol], multiply(factor, symbol_of(source[i], symbol)));
    }
  }
  ErasureShard parity(shard_bytes);
  for (std::size_t symbol = 0; symbol < sums.size(); ++symbol) {
    set_symbol(parity, symbol, sums[symbol]);
  }
  return parity;
}

std::optional<std::vector<ErasureShard>> erasure_recover(
    const std::vector<std::optional<ErasureShard>>& source,
    const std::vector<std::optional<ErasureShard>>& parity) {
  std::size_t n_missing = 0;
  for (const auto& shard : source) {
    n_missing += shard.has_value() ? 0 : 1;
  }
  const auto matrix = generator_matrix(source.size(), parity.size());
  std::vector<Equation> equations;
  for (std::size_t j = 0; j < parity.size() && equations.size() < n_missing; ++j) {
    if (parity[j].has_value()) {
      equations.push_back(equation_of(*parity[j], matrix[j], source));
    }
  }
  if (equations.size() < n_missing) {
    return std::nullopt;
  }
  solve(equations);
  std::vector<ErasureShard> result;
  std::size_t unknown = 0;
  for (const auto& shard : source) {
    if (shard.has_value()) {
      result.push_back(*shard);
      continue;
    }
    const std::vector<Polynomial>& symbols = equations[unknown++].sums;
    ErasureShard& recovered = result.emplace_back(2 * symbols.size());
    for (std::size_t symbol = 0; symbol < symbols.size(); ++symbol) {
      set_symbol(recovered, symbol, symbols[symbol]);
    }
  }
  return result;
}

}  // namespace furrow::reference
