// Writes an array of one dimension in PostgreSQL's binary form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "onceward/store.h"

namespace onceward::postgres {

class array_writer {
 public:
  // `element_type` is an object id. Exactly `count` elements are added, and that is not none.
  array_writer(unsigned element_type, std::size_t count);

  void add(std::string_view bytes);
  void add(std::span<const std::byte> bytes);
  void add(const shared_bytes& bytes);  // NULL where there are none.
  void add(std::int64_t number);

  // Once, when all are added.
  std::string take();

 private:
  void put_number(std::uint64_t number, std::size_t bytes);

  std::size_t missing_;
  std::string bytes_;
};

}  // namespace onceward::postgres
