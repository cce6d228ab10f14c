#include "stores/postgres/array_writer.h"

#include <utility>

#include "base/assert.h"

namespace onceward::postgres {
namespace {

constexpr std::size_t word = 4;
// Of the word that says whether an element is NULL: behind the number of dimensions.
constexpr std::size_t null_flag_place = word;
constexpr std::uint64_t null_length = 0xffffffff;
constexpr std::size_t element_bytes_guess = 40;

}  // namespace

array_writer::array_writer(unsigned element_type, std::size_t count) : missing_(count) {
  onceward_assert(count > 0);
  bytes_.reserve(5 * word + count * element_bytes_guess);
  put_number(1, word);  // Dimensions.
  put_number(0, word);  // No element is NULL.
  put_number(element_type, word);
  put_number(count, word);
  put_number(1, word);  // Of the first element.
}

void array_writer::put_number(std::uint64_t number, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i)
    bytes_.push_back(static_cast<char>(number >> (8 * (bytes - 1 - i)) & 0xff));
}

void array_writer::add(std::string_view bytes) {
  onceward_assert(missing_ > 0);
  --missing_;
  put_number(bytes.size(), word);
  bytes_.append(bytes);
}

void array_writer::add(std::span<const std::byte> bytes) {
  add(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

void array_writer::add(const shared_bytes& bytes) {
  if (bytes != nullptr) return add(std::string_view(*bytes));
  onceward_assert(missing_ > 0);
  --missing_;
  bytes_[null_flag_place + word - 1] = 1;
  put_number(null_length, word);
}

void array_writer::add(std::int64_t number) {
  onceward_assert(missing_ > 0);
  --missing_;
  put_number(sizeof number, word);
  put_number(static_cast<std::uint64_t>(number), sizeof number);
}

std::string array_writer::take() {
  onceward_assert(missing_ == 0);
  return std::move(bytes_);
}

}  // namespace onceward::postgres
