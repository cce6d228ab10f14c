// The parameters of the statements, in PostgreSQL's binary form.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "onceward/store.h"
#include "stores/postgres/statements.h"

namespace onceward::postgres {

// The object ids of the types of a statement's parameters; the same in every database.
std::span<const unsigned> types_of(statement which);

// What a prepared statement is executed with. Points into what it was made from, and into itself.
class parameters {
 public:
  static constexpr std::size_t count_max = 6;

  parameters() = default;
  parameters(const parameters&) = delete;
  parameters& operator=(const parameters&) = delete;

  void add(std::span<const std::byte> bytes);
  void add(std::string_view bytes);
  void add(const shared_bytes& bytes);  // NULL where there are none.
  void add(std::int64_t number);
  void add(std::chrono::milliseconds duration) { add(std::int64_t{duration.count()}); }
  void add_null() { put(nullptr, 0); }
  // An array; keeps it.
  void add_array(std::string bytes);

  int count() const { return static_cast<int>(count_); }
  const char* const* values() const { return values_.data(); }
  const int* lengths() const { return lengths_.data(); }
  // That they are binary, for each.
  static const int* formats();

 private:
  void put(const char* value, std::size_t length);

  std::size_t count_ = 0;
  std::array<const char*, count_max> values_{};
  std::array<int, count_max> lengths_{};
  std::array<std::array<char, 8>, count_max> numbers_{};
  std::array<std::string, count_max> arrays_;
};

// The statement that carries a command of one key out, and its parameters, which borrow from the command.
statement encode(const claim& what, parameters& into);
statement encode(const renew& what, parameters& into);
statement encode(const complete& what, parameters& into);
statement encode(const release& what, parameters& into);
statement encode(const find& what, parameters& into);

// Likewise for many commands, which are all claims of one kind (`over_unknown` is not set) or all completions with an
// outcome that is known, of different keys, and at least one.
statement encode_many(std::span<const command* const> what, parameters& into);

// Roughly what a command weighs on the wire.
std::size_t wire_bytes(const command& what);

}  // namespace onceward::postgres
