// Numbers that look random and depend on nothing but what the dice were made from: the same on every machine.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace onceward::simulation {

class dice {
 public:
  // Dice for one purpose of one run: whoever else throws does not change them.
  explicit dice(std::uint64_t seed, std::initializer_list<std::uint64_t> purpose = {}) : state_(seed) {
    for (const std::uint64_t each : purpose)
      state_ = next() ^ (each * 0xd1342543de82ef95u);
  }

  std::uint64_t next() {
    std::uint64_t mixed = (state_ += 0x9e3779b97f4a7c15u);
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return mixed ^ (mixed >> 31);
  }

  // From 0 to `bound` - 1.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  std::int64_t between(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(most - least + 1)));
  }
  bool chance(double probability) {
    return static_cast<double>(next() >> 11) < probability * static_cast<double>(std::uint64_t{1} << 53);
  }

 private:
  std::uint64_t state_;
};

}  // namespace onceward::simulation
